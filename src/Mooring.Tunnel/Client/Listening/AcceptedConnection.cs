using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Mooring.Tunnel.Client.Listening;

/// <summary>
/// One visitor's connection as the application has it. Not the framework's DefaultConnectionContext: there an abort that meets the
/// disposal cancels a disposed source on a thread of the pool, which ends the process.
/// </summary>
internal sealed class AcceptedConnection : ConnectionContext
{
    // Never disposed, as an abort may come after the end; without a timer it holds nothing.
    private readonly CancellationTokenSource _closed = new();

    public AcceptedConnection(string id, IDuplexPipe transport) => (ConnectionId, Transport, ConnectionClosed) = (id, transport, _closed.Token);

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    public override void Abort() => ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);

    public override void Abort(ConnectionAbortedException abortReason) => Abort();
}
