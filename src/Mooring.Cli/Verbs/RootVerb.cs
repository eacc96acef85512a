using System.CommandLine;
using System.CommandLine.Help;
using Mooring.Cli.Manual;

namespace Mooring.Cli.Verbs;

/// <summary>The program: all its verbs.</summary>
internal static class RootVerb
{
    /// <summary>All verbs, in the order of the list that <c>--help</c> prints.</summary>
    internal static RootCommand Create()
    {
        var root = Program(
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
            CompletionVerb.Create());
        root.Subcommands.Add(HelpVerb.Create(root));
        return root;
    }

    /// <summary>
    /// What a command line needs. The daemons of an edge host are made alone: on a small machine, options of other verbs are memory that is never used.
    /// </summary>
    internal static RootCommand Create(IReadOnlyList<string> args) => args switch
    {
        ["agent", ..] => Program(AgentVerb.Create()),
        ["netmon", ..] => Program(NetMonVerb.Create()),
        _ => Create(),
    };

    private static RootCommand Program(params ReadOnlySpan<Command> verbs)
    {
        var root = new RootCommand("Mooring keeps vehicle fleets, edge container hosts, tunnels and operator chat connected.");
        foreach (var verb in verbs) root.Subcommands.Add(verb);
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        return root;
    }
}
