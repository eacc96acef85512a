namespace Mooring.Edge.Agent.Network;

/// <summary>Where the network monitor listens, and the bounds of talking to it.</summary>
internal sealed record NetworkMonitorOptions
{
    /// <summary>The monitor's Unix socket.</summary>
    public string SocketPath { get; init; } = "/var/orchestrator/netmon.sock";

    /// <summary>Wait after the socket was not there, or the connection ended. The monitor is local: it is back when it has been restarted.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for the answer to a command. Moving a physical interface takes the longest, about a second.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(15);
}
