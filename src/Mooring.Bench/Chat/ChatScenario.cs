namespace Mooring.Bench.Chat;

/// <summary>What is measured.</summary>
internal enum ChatScenarioKind
{
    /// <summary>As fast as the deliveries come back.</summary>
    Saturation,

    /// <summary>One message at a time.</summary>
    PingPong,

    /// <summary>A fixed rate, with one member that never reads.</summary>
    Stalled,

    /// <summary>Members that do nothing.</summary>
    Idle,
}

/// <summary>One measurement.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Kind">What is measured.</param>
/// <param name="Members">Members that read; the sender comes on top.</param>
internal sealed record ChatScenario(string Name, ChatScenarioKind Kind, int Members)
{
    /// <summary>Whether there is a member that never reads.</summary>
    internal bool HasStalledMember { get; init; }

    internal static IReadOnlyList<ChatScenario> All { get; } =
    [
        new("members-10", ChatScenarioKind.Saturation, 10),
        new("members-100", ChatScenarioKind.Saturation, 100),
        new("members-500", ChatScenarioKind.Saturation, 500),
        new("one-at-a-time-100", ChatScenarioKind.PingPong, 100),
        new("steady-20", ChatScenarioKind.Stalled, 20),
        new("stalled-20", ChatScenarioKind.Stalled, 20) { HasStalledMember = true },
        new("idle-2000", ChatScenarioKind.Idle, 2000),
    ];
}
