using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Mooring.Testing;

/// <summary>One end of a connection in memory. Disposing it closes it cleanly, aborting it resets it.</summary>
public sealed class InMemoryConnection : ConnectionContext
{
    private readonly CancellationTokenSource _closed = new();
    private readonly BytePump _send;
    private readonly BytePump _receive;
    private readonly DuplexPipe _transport;
    private InMemoryConnection? _peer;
    private int _disposed;

    private InMemoryConnection(string id, DuplexPipe transport, BytePump send, BytePump receive, EndPoint local, EndPoint remote)
    {
        ConnectionId = id;
        _transport = transport;
        _send = send;
        _receive = receive;
        Transport = transport;
        LocalEndPoint = local;
        RemoteEndPoint = remote;
        ConnectionClosed = _closed.Token;
    }

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    /// <summary>Opens a stream over this end; disposing the stream closes the connection.</summary>
    public DuplexStream AsStream() => new(Transport, DisposeAsync);

    public override void Abort(ConnectionAbortedException abortReason)
    {
        _send.Break(new ConnectionResetException("The peer reset the connection."));
        _receive.Break(abortReason);
        SignalClosed();
        _peer?.SignalClosed();
    }

    public override void Abort() => Abort(new ConnectionAbortedException());

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _transport.Output.CompleteAsync();
        await _transport.Input.CompleteAsync();
        SignalClosed();
        _peer?.SignalClosed();
    }

    /// <summary>A connected pair. <paramref name="toServer"/> and <paramref name="toClient"/> are what goes wrong on the way.</summary>
    public static (InMemoryConnection Client, InMemoryConnection Server) CreatePair(
        string id, EndPoint endPoint, ByteFaults? toServer = null, ByteFaults? toClient = null)
    {
        // Two pipes a direction with a pump between them: the pump alone completes the inner ends.
        Pipe clientOut = new(), serverIn = BytePump.ReceivingPipe();
        Pipe serverOut = new(), clientIn = BytePump.ReceivingPipe();
        BytePump? up = null, down = null;
        void Cut()
        {
            up!.Break(BytePump.Reset());
            down!.Break(BytePump.Reset());
        }
        up = new BytePump(clientOut.Reader, serverIn.Writer, toServer ?? new ByteFaults(), Cut);
        down = new BytePump(serverOut.Reader, clientIn.Writer, toClient ?? new ByteFaults(), Cut);
        var clientEnd = new InMemoryEndPoint(id);
        var client = new InMemoryConnection(
            id, new DuplexPipe(clientIn.Reader, clientOut.Writer), up, down, clientEnd, endPoint);
        var server = new InMemoryConnection(
            id, new DuplexPipe(serverIn.Reader, serverOut.Writer), down, up, endPoint, clientEnd);
        (client._peer, server._peer) = (server, client);
        up.Start();
        down.Start();
        return (client, server);
    }

    // On the pool, as the real transports do: who closes does not run the other side's callbacks.
    private void SignalClosed() => ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _closed, preferLocal: false);

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
