using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mooring.Mqtt.Broker.Transports.Kestrel;

/// <summary>A WebSocket as a connection: binary frames are a byte stream, in which packets begin and end anywhere.</summary>
internal sealed class WebSocketConnection : ConnectionContext
{
    private const int FrameBytes = 4096;
    private static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(1);
    private static readonly PipeOptions PipeBounds = new(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false);

    private readonly WebSocket _socket;
    private readonly Pipe _incoming = new(PipeBounds);
    private readonly Pipe _outgoing = new(PipeBounds);

    private WebSocketConnection(WebSocket socket, EndPoint? remote)
    {
        _socket = socket;
        RemoteEndPoint = remote;
        Transport = new Duplex(_incoming.Reader, _outgoing.Writer);
    }

    public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("N");

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    internal static async Task ServeAsync(HttpContext context, ConnectionHandler handler, TimeProvider time)
    {
        var asked = context.WebSockets.IsWebSocketRequest
            ? context.WebSockets.WebSocketRequestedProtocols.FirstOrDefault(protocol => protocol is "mqtt" or "mqttv3.1")
            : null;
        if (asked is null)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync(asked).ConfigureAwait(false);
        var address = context.Connection.RemoteIpAddress;
        var connection = new WebSocketConnection(socket, address is null ? null : new IPEndPoint(address, context.Connection.RemotePort));
        connection.Features.Set(context.Features.Get<ITlsConnectionFeature>());
        var both = Task.WhenAll(connection.ReceiveAsync(context.RequestAborted), connection.SendAsync(context.RequestAborted));
        await handler.OnConnectedAsync(connection).ConfigureAwait(false);
        await connection._outgoing.Writer.CompleteAsync().ConfigureAwait(false);
        await connection._incoming.Reader.CompleteAsync().ConfigureAwait(false);
        try
        {
            // Until the client closes too: with its bytes unread, the last packet would be lost in a reset.
            await both.WaitAsync(CloseWithin, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            connection.Abort();
            await both.ConfigureAwait(false);
        }
    }

    public override void Abort(ConnectionAbortedException abortReason) => Abort();

    public override void Abort()
    {
        _socket.Abort();
        _incoming.Reader.CancelPendingRead();
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var isWanted = true;
        try
        {
            while (true)
            {
                var memory = _incoming.Writer.GetMemory(FrameBytes);
                var result = await _socket.ReceiveAsync(memory, cancellationToken).ConfigureAwait(false);
                // MQTT travels in binary frames only (MQTT-6.0.0-1).
                if (result.MessageType != WebSocketMessageType.Binary) break;
                if (!isWanted) continue;
                _incoming.Writer.Advance(result.Count);
                var flush = await _incoming.Writer.FlushAsync(cancellationToken).ConfigureAwait(false);
                isWanted = !flush.IsCompleted;
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            // Same as the end of the stream.
        }
        await _incoming.Writer.CompleteAsync().ConfigureAwait(false);
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var result = await _outgoing.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                foreach (var segment in result.Buffer)
                {
                    await _socket.SendAsync(segment, WebSocketMessageType.Binary, true, cancellationToken).ConfigureAwait(false);
                }
                _outgoing.Reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) break;
            }
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            // The peer is gone.
        }
        await _outgoing.Reader.CompleteAsync().ConfigureAwait(false);
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
