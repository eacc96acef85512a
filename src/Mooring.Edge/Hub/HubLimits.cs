using Mooring.Kernel.Options;

namespace Mooring.Edge.Hub;

/// <summary>What agents and operators may make the hub hold.</summary>
public sealed record HubLimits
{
    /// <summary>Agents connected at the same time. Default 10,000.</summary>
    public int AgentsMax { get; init; } = 10_000;

    /// <summary>
    /// Largest message of an agent. Default 100,000,000: answers of runtimes, and of earlier agents whole histories, come as one message, and a
    /// larger one costs the agent its connection.
    /// </summary>
    public int PayloadBytesMax { get; init; } = 100_000_000;

    /// <summary>Bytes that may wait for one slow agent. Default 16 MiB: one upload of a program.</summary>
    public int OutboxBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>Calls of one agent that may be in flight. Default 32; more are refused with status 429.</summary>
    public int CallsMax { get; init; } = 32;

    /// <summary>Operations kept in memory for those who ask about them. Default 10,000; the oldest that have ended go first.</summary>
    public int OperationsMax { get; init; } = 10_000;

    /// <summary>Those who may watch the events at the same time. Default 100.</summary>
    public int WatchersMax { get; init; } = 100;

    /// <summary>Events that may wait for one slow watcher; then it is sent away and begins again after the last one it saw. Default 1,000.</summary>
    public int WatcherQueueMax { get; init; } = 1_000;

    /// <summary>Ids that machines have asked for and not used yet. Default 1,000; each lives five minutes.</summary>
    public int PendingIdsMax { get; init; } = 1_000;

    /// <summary>Of them, those that one address asked for. Default 50: a plant that is being fitted out, behind one router.</summary>
    public int PendingIdsPerAddressMax { get; init; } = 50;

    /// <summary>How long heartbeats are kept, one a minute. Default 30 days.</summary>
    public TimeSpan BeatsKept { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long events and the audit log are kept. Default one year.</summary>
    public TimeSpan EventsKept { get; init; } = TimeSpan.FromDays(365);

    internal void Validate(string key, OptionsErrors errors)
    {
        errors.RequireInRange(key + ".agentsMax", AgentsMax, 1, 1_000_000);
        errors.RequireInRange(key + ".payloadBytesMax", PayloadBytesMax, 10_000, 1_000_000_000);
        errors.RequireInRange(key + ".outboxBytesMax", OutboxBytesMax, 10_000, 1_000_000_000);
        errors.RequireInRange(key + ".callsMax", CallsMax, 1, 10_000);
        errors.RequireInRange(key + ".operationsMax", OperationsMax, 10, 1_000_000);
        errors.RequireInRange(key + ".watchersMax", WatchersMax, 1, 100_000);
        errors.RequireInRange(key + ".watcherQueueMax", WatcherQueueMax, 10, 1_000_000);
        errors.RequireInRange(key + ".pendingIdsMax", PendingIdsMax, 1, 1_000_000);
        errors.RequireInRange(key + ".pendingIdsPerAddressMax", PendingIdsPerAddressMax, 1, 1_000_000);
        errors.RequireInRange(key + ".beatsKept", BeatsKept, TimeSpan.FromHours(1), TimeSpan.FromDays(3650));
        errors.RequireInRange(key + ".eventsKept", EventsKept, TimeSpan.FromHours(1), TimeSpan.FromDays(3650));
    }
}
