using Mooring.Kernel.Events;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>What goes between the systems and chat rooms. Without a room nothing does.</summary>
internal sealed record BridgeOptions
{
    /// <summary>Messages a minute that the program posts in one room: people still read along.</summary>
    internal const int PerMinuteStandard = 20;

    /// <summary>What is posted unless told otherwise: what cars, agents and tunnels do, and every alarm.</summary>
    internal static readonly string[] RulesStandard = ["fleet", "edge", "tunnel", "*:alarm"];

    private const int NameMax = 64;

    /// <summary>The room in which events are posted and commands are answered; null for none.</summary>
    internal string? Room { get; init; }

    internal IReadOnlyList<BridgeRule> Rules { get; init; } = [];

    /// <summary>Accounts of the chat server that may do things by commands, not only look.</summary>
    internal IReadOnlyList<string> Allowed { get; init; } = [];

    internal int PerMinute { get; init; } = PerMinuteStandard;

    /// <summary>All rooms that are posted in.</summary>
    internal IEnumerable<string> Rooms => Room is not { } room ? [] : Rules.Select(rule => rule.Room).OfType<string>().Prepend(room).Distinct(StringComparer.Ordinal);

    /// <summary>Rooms in which an event is posted, each once.</summary>
    internal IEnumerable<string> RoomsFor(OperatorEvent told) => Room is not { } room
        ? []
        : Rules.Where(rule => rule.Fits(told)).Select(rule => rule.Room ?? room).Distinct(StringComparer.Ordinal);

    /// <summary>What is wrong with the name of a room or a client; null when nothing is.</summary>
    internal static string? ProblemOfName(string name) =>
        name.Length is 0 or > NameMax || name == BridgeRule.Any || name.Any(letter => letter == ':' || char.IsControl(letter) || char.IsWhiteSpace(letter))
            ? $"'{name}' is no name: use 1 to {NameMax} characters without blanks, colons and controls"
            : null;
}
