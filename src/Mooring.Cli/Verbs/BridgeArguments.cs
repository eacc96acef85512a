using System.CommandLine;
using Mooring.Cli.Configuration;
using Mooring.Cli.Hosting;
using Mooring.Cli.Hosting.Bridges;

namespace Mooring.Cli.Verbs;

/// <summary>Options of the bridges between the systems and chat rooms.</summary>
internal sealed class BridgeArguments
{
    private readonly Option<string?> _room = new("--bridges-room")
    {
        Description = "Chat room in which events are posted and commands such as /cars are answered; without it there are no bridges.",
        HelpName = "ROOM",
    };

    private readonly Option<string[]> _post = new("--bridges-post")
    {
        Description = "Events that are posted: SYSTEM[.KIND][:SEVERITY][=ROOM], such as fleet.car_lost, edge:warning or *:alarm=alarms; may be given again.",
        HelpName = "RULE",
        DefaultValueFactory = _ => BridgeOptions.RulesStandard,
    };

    private readonly Option<string[]> _allow = new("--bridges-allow")
    {
        Description = "Account of the chat server that may restart runtimes by a command; may be given again.",
        HelpName = "ACCOUNT",
    };

    private readonly Option<int> _perMinute = new ShapedOption<int>("--bridges-per-minute", new SettingShape(SettingShape.Integer, 1, 600))
    {
        Description = "Messages a minute that events may become in one room; more are gathered into fewer lines.",
        HelpName = "COUNT",
        DefaultValueFactory = _ => BridgeOptions.PerMinuteStandard,
    };

    /// <summary>A rule or name that cannot be is told with its place, wherever it was given.</summary>
    private BridgeArguments()
    {
        Check(_room, BridgeOptions.ProblemOfName);
        Check(_allow, BridgeOptions.ProblemOfName);
        Check(_post, text => BridgeRule.TryParse(text, out _, out var problem) ? null : problem);
        _post.Validators.Add(result =>
        {
            if (result.Tokens.Count > BridgeLimits.RulesMax) result.AddError($"{_post.Name}: use {BridgeLimits.RulesMax} rules at most");
        });
    }

    internal static BridgeArguments AddTo(Command command)
    {
        var arguments = new BridgeArguments();
        foreach (var option in new Option[] { arguments._room, arguments._post, arguments._allow, arguments._perMinute }) command.Options.Add(option);
        return arguments;
    }

    internal BridgeOptions Read(ParseResult parsed) => new()
    {
        Room = parsed.GetValue(_room),
        Rules = [.. (parsed.GetValue(_post) ?? []).Select(text => BridgeRule.TryParse(text, out var rule, out _) ? rule : throw new UserErrorException(text))],
        Allowed = parsed.GetValue(_allow) ?? [],
        PerMinute = parsed.GetValue(_perMinute),
    };

    private static void Check(Option option, Func<string, string?> problemOf) => option.Validators.Add(result =>
    {
        foreach (var token in result.Tokens)
            if (problemOf(token.Value) is { } problem) result.AddError($"{option.Name}: {problem}");
    });
}
