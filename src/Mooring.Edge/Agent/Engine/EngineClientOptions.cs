namespace Mooring.Edge.Agent.Engine;

/// <summary>Where the container engine listens, and the bounds of talking to it.</summary>
internal sealed record EngineClientOptions
{
    /// <summary>The engine's Unix socket.</summary>
    public string SocketPath { get; init; } = "/var/run/docker.sock";

    /// <summary>Longest wait for the socket. It is local: five seconds without an answer is an engine that hangs.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Longest wait for an answer that does not stream. Stopping a container may take its whole grace time on top, which the call adds itself.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest answer that is read whole. Hundreds of containers fit; an engine that sends more is not one.</summary>
    public int MaxAnswerBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Longest line of a stream of JSON objects (events, progress of a pull).</summary>
    public int MaxLineBytes { get; init; } = 1024 * 1024;

    /// <summary>Requests to the engine at a time; more wait. Statistics of many containers would otherwise crowd out what an operator asked for.</summary>
    public int MaxConnections { get; init; } = 64;
}
