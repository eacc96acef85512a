using System.CommandLine;
using Mooring.Cli.Hosting;
using Mooring.Cli.Verbs;

var root = new RootCommand("Mooring keeps vehicle fleets, edge container hosts, tunnels and operator chat connected.")
{
    UpVerb.Create(),
    ConfigVerb.Create(),
    UserVerb.Create(),
    DoctorVerb.Create(),
    BackupVerbs.CreateBackup(),
    BackupVerbs.CreateRestore(),
    FleetVerb.Create(),
    BrokerVerb.Create(),
    HubVerb.Create(),
    CarVerb.Create(),
    ChatVerb.Create(),
    TunnelVerb.Create(),
    AgentVerb.Create(),
    NetMonVerb.Create(),
    BenchVerb.Create(),
    CompletionVerb.Create(),
};

return await CommandLine.RunAsync(root, args);
