using System.CommandLine;
using System.CommandLine.Help;
using Mooring.Cli.Manual;

namespace Mooring.Cli.Verbs;

/// <summary>The program: all its verbs.</summary>
internal static class RootVerb
{
    internal static RootCommand Create()
    {
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
        root.Subcommands.Add(HelpVerb.Create(root));
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        return root;
    }
}
