namespace Mooring.Mqtt.Broker.Transports.Epoll;

/// <summary>Bounds of the epoll transport.</summary>
internal sealed record EpollOptions
{
    /// <summary>I/O threads. One serves some 200,000 messages a second; a second one helps only where a core is free for it.</summary>
    internal int Threads { get; init; } = 1;

    /// <summary>Open connections; further ones are accepted and closed at once, so that a peer sees a refusal and not a hang.</summary>
    internal int MaximumConnections { get; init; } = 100_000;

    /// <summary>Descriptors that connections leave to the rest of the process: files, libraries, other listeners.</summary>
    internal int ReservedDescriptors { get; init; } = 64;

    /// <summary>
    /// Bytes of one read. Large enough for a batch of messages, small enough that one busy publisher does not keep the
    /// others waiting: about 500 packets of 128 bytes.
    /// </summary>
    internal int ReadBytes { get; init; } = 64 * 1024;

    /// <summary>
    /// Unsent bytes of a connection beyond which nothing more is read from it: a peer that asks and does not take the answers
    /// waits, instead of growing a buffer. Above the broker's own bound for QoS 0, so that a slow subscriber is not concerned.
    /// </summary>
    internal int UnsentBytesToStopReading { get; init; } = 1024 * 1024;

    /// <summary>Ready connections handled before the touched ones are flushed.</summary>
    internal int EventsPerTurn { get; init; } = 128;

    /// <summary>Connections waiting to be accepted.</summary>
    internal int Backlog { get; init; } = 4096;

    /// <summary>Connections accepted in one turn, so that a storm of connects does not starve those that are open.</summary>
    internal int AcceptsPerTurn { get; init; } = 64;

    /// <summary>Pause of accepting after the process has run out of descriptors: without it the loop would spin.</summary>
    internal TimeSpan AcceptPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Time for the last packet to leave before a connection is cut (spec: error procedure).</summary>
    internal TimeSpan CloseWithin { get; init; } = TimeSpan.FromSeconds(1);
}
