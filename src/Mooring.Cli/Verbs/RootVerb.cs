using System.CommandLine;
using System.CommandLine.Help;
using Mooring.Cli.Manual;

namespace Mooring.Cli.Verbs;

/// <summary>The program: all its verbs.</summary>
internal static class RootVerb
{
    /// <summary>In the order of the list that <c>--help</c> prints.</summary>
    internal static readonly IReadOnlyList<(string Name, Func<Command> Create)> Verbs =
    [
        ("up", UpVerb.Create),
        ("config", ConfigVerb.Create),
        ("user", UserVerb.Create),
        ("doctor", DoctorVerb.Create),
        ("backup", BackupVerbs.CreateBackup),
        ("restore", BackupVerbs.CreateRestore),
        ("fleet", FleetVerb.Create),
        ("broker", BrokerVerb.Create),
        ("hub", HubVerb.Create),
        ("car", CarVerb.Create),
        ("chat", ChatVerb.Create),
        ("tunnel", TunnelVerb.Create),
        ("agent", AgentVerb.Create),
        ("netmon", NetMonVerb.Create),
        ("bench", BenchVerb.Create),
        ("completion", CompletionVerb.Create),
    ];

    /// <summary>All verbs.</summary>
    internal static RootCommand Create()
    {
        var root = Program([.. Verbs.Select(verb => verb.Create())]);
        root.Subcommands.Add(HelpVerb.Create(root));
        return root;
    }

    /// <summary>What a command line needs: a verb that is asked for by its name is made alone. The options of all others would be time and memory for nothing.</summary>
    internal static RootCommand Create(IReadOnlyList<string> args)
    {
        if (args is [var name, ..])
        {
            foreach (var verb in Verbs)
            {
                if (verb.Name == name) return Program(verb.Create());
            }
        }
        return Create();
    }

    private static RootCommand Program(params ReadOnlySpan<Command> verbs)
    {
        var root = new RootCommand("Mooring keeps vehicle fleets, edge container hosts, tunnels and operator chat connected.");
        foreach (var verb in verbs) root.Subcommands.Add(verb);
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        return root;
    }
}
