using Mooring.Kernel.Events;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>
/// Which events are posted, and where. In a person's words <c>SYSTEM[.KIND][:SEVERITY][=ROOM]</c>: <c>fleet</c>, <c>edge:warning</c>,
/// <c>tunnel.tunnel_opened=visitors</c>, <c>*:alarm</c>.
/// </summary>
internal sealed record BridgeRule(string System, string Kind, EventSeverity Least, string? Room)
{
    internal const string Any = "*";

    private static readonly string[] Systems = ["fleet", "edge", "tunnel", "chat", "broker", Any];

    internal bool Fits(OperatorEvent told) =>
        told.Severity >= Least && (System == Any || System == told.System) && (Kind == Any || Kind == told.Kind);

    /// <summary>Reads a rule; false with what is wrong in it.</summary>
    internal static bool TryParse(string text, out BridgeRule rule, out string problem)
    {
        var (left, room) = Cut(text, '=');
        var (what, severity) = Cut(left, ':');
        var (system, kind) = Cut(what, '.');
        var least = EventSeverity.Notice;
        problem = !Systems.Contains(system) ? $"'{system}' is no system (allowed: {string.Join(", ", Systems)})"
            : severity is not null && (!Enum.TryParse(severity, ignoreCase: true, out least) || !Enum.IsDefined(least) || char.IsAsciiDigit(severity[0]))
                ? $"'{severity}' is no severity (allowed: notice, warning, alarm)"
            : kind is not null && kind != Any && !kind.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or ':') || kind is "" ? $"'{kind}' is no kind of event, such as car_online"
            : room is not null && BridgeOptions.ProblemOfName(room) is { } bad ? bad
            : "";
        rule = new BridgeRule(system, kind ?? Any, least, room);
        return problem.Length == 0;
    }

    private static (string Left, string? Right) Cut(string text, char mark)
    {
        var at = text.IndexOf(mark, StringComparison.Ordinal);
        return at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);
    }
}
