namespace Mooring.Mqtt.Broker.Transports.Epoll;

/// <summary>What the broker does with one connection. Calls come from the connection's I/O thread, one at a time, but for OnDrained.</summary>
internal interface IEpollHandler
{
    /// <summary>Handles all whole packets in <paramref name="bytes"/>, which is lent for the call; returns the bytes consumed.</summary>
    int OnReceived(ReadOnlyMemory<byte> bytes);

    /// <summary>All output has left after a send that would have blocked, or what was held back may leave; on any thread.</summary>
    void OnDrained();

    /// <summary>The connection is over; called once, nothing follows.</summary>
    void OnClosed();
}
