using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>
/// HTTP/2 without TLS on the port of HTTP/1.1 (RFC 9113 3.3): a connection that begins with the preface of HTTP/2 is handed to a second
/// listener in the same Kestrel, which has no port. gRPC clients on a private network speak so.
/// </summary>
internal sealed class PriorKnowledge(IConnectionListenerFactory sockets, TimeProvider time) : IConnectionListenerFactory
{
    /// <summary>Connections that wait to be taken over; they are taken at once.</summary>
    private const int WaitingMax = 1024;

    /// <summary>A visitor that says nothing is closed, as one that stays idle between two requests.</summary>
    private static readonly TimeSpan s_silenceMax = TimeSpan.FromSeconds(130);

    private readonly Channel<ConnectionContext> _waiting = Channel.CreateBounded<ConnectionContext>(WaitingMax);

    /// <summary>The second listener.</summary>
    public EndPoint EndPoint { get; } = new HandoverEndPoint();

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0"u8;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        endpoint is HandoverEndPoint ? new ValueTask<IConnectionListener>(new Listener(_waiting, endpoint)) : sockets.BindAsync(endpoint, cancellationToken);

    /// <summary>Looks at the first bytes of a connection and leaves them where they are.</summary>
    public async Task ChooseAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        try
        {
            using var limit = new CancellationTokenSource(s_silenceMax, time);
            if (!await BeginsWithPrefaceAsync(connection.Transport.Input, limit.Token))
            {
                await http1(connection);
                return;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            return;
        }
        var handed = new Handed(connection);
        await _waiting.Writer.WriteAsync(handed, connection.ConnectionClosed);
        await handed.Ended;
    }

    private static async ValueTask<bool> BeginsWithPrefaceAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var head = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, Preface.Length));
            var isPossible = Preface.StartsWith(head.IsSingleSegment ? head.FirstSpan : head.ToArray());
            var isDecided = !isPossible || head.Length == Preface.Length || read.IsCompleted;
            // What was not examined is given again at once.
            input.AdvanceTo(read.Buffer.Start, isDecided ? read.Buffer.Start : read.Buffer.End);
            if (isDecided) return isPossible && head.Length == Preface.Length;
        }
    }

    private sealed class HandoverEndPoint : EndPoint
    {
        public override string ToString() => "http2-prior-knowledge";
    }

    private sealed class Listener(Channel<ConnectionContext> waiting, EndPoint endPoint) : IConnectionListener
    {
        public EndPoint EndPoint => endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await waiting.Reader.WaitToReadAsync(cancellationToken) && waiting.Reader.TryRead(out var connection) ? connection : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            waiting.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }

    /// <summary>The same connection; its end is told to who handed it over.</summary>
    private sealed class Handed(ConnectionContext connection) : ConnectionContext
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;

        public override string ConnectionId
        {
            get => connection.ConnectionId;
            set => connection.ConnectionId = value;
        }

        public override IFeatureCollection Features => connection.Features;

        public override IDictionary<object, object?> Items
        {
            get => connection.Items;
            set => connection.Items = value;
        }

        public override IDuplexPipe Transport
        {
            get => connection.Transport;
            set => connection.Transport = value;
        }

        public override EndPoint? LocalEndPoint
        {
            get => connection.LocalEndPoint;
            set => connection.LocalEndPoint = value;
        }

        public override EndPoint? RemoteEndPoint
        {
            get => connection.RemoteEndPoint;
            set => connection.RemoteEndPoint = value;
        }

        public override CancellationToken ConnectionClosed
        {
            get => connection.ConnectionClosed;
            set => connection.ConnectionClosed = value;
        }

        public override void Abort(ConnectionAbortedException abortReason) => connection.Abort(abortReason);

        public override ValueTask DisposeAsync()
        {
            _ended.TrySetResult();
            return ValueTask.CompletedTask;
        }
    }
}
