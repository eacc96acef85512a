namespace Mooring.Fleet.Configuration;

/// <summary>Who waits in a native module's <c>wait_for_command</c>.</summary>
public enum PollingMode
{
    /// <summary>A thread for each car and module while there are few, the pool beyond <see cref="PollingOptions.ThreadsMax"/>.</summary>
    Auto,

    /// <summary>A thread for each car and module, as the original: lowest latency.</summary>
    Threads,

    /// <summary>A few threads ask all modules in turn, without waiting in them.</summary>
    Pool,
}

/// <summary>How commands are fetched from native modules.</summary>
public sealed record PollingOptions
{
    /// <summary>Who waits.</summary>
    public PollingMode Mode { get; init; } = PollingMode.Auto;

    /// <summary>Threads that <see cref="PollingMode.Auto"/> spends before it pools: 16 stacks are nothing, 10,000 are not.</summary>
    public int ThreadsMax { get; init; } = 16;

    /// <summary>Shortest pause between two rounds of the pool; with thousands of cars it is longer, so that rounds cost a tenth of a processor.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(50);
}
