using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.Network;

/// <summary>What the agent needs of the network monitor.</summary>
internal interface INetworkMonitor
{
    /// <summary>Whether there is a connection to it.</summary>
    bool IsConnected { get; }

    /// <summary>Asks for something and waits for the answer. Never throws but for cancellation: no answer is an answer that says so.</summary>
    Task<MonitorAnswer> SendAsync(MonitorCommand command, CancellationToken cancellationToken);
}
