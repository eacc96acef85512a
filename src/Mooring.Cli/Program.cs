using Mooring.Cli.Hosting;
using Mooring.Cli.Verbs;

return await CommandLine.RunAsync(RootVerb.Create(args), args);
