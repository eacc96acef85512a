namespace Mooring.SocketIO.Connections;

/// <summary>A way to carry packets, in its working state.</summary>
internal interface ICarrier : IDisposable
{
    /// <summary>Grows whenever the peer sends or takes something.</summary>
    long Progress { get; }

    /// <summary>Sends until the outbox is closed and empty, then says goodbye.</summary>
    Task SendAsync(Outbox outbox, CancellationToken cancellationToken);

    /// <summary>Reads until the peer closes.</summary>
    Task ReceiveAsync(IFrameSink sink, CancellationToken cancellationToken);

    void Abort();
}
