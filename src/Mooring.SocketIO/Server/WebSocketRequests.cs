using System.Buffers;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Server;

/// <summary>WebSockets: one that opens a session, or one that takes over a session that polls.</summary>
internal static class WebSocketRequests
{
    public static async Task OpenAsync(HttpContext context, EngineSession session, SocketIOServerOptions options, TimeProvider time)
    {
        if (await WebSocketUpgrade.AcceptAsync(context) is not { } stream)
        {
            session.Close(SocketIODisconnectReason.ProtocolError);
            await EngineEndpoint.RefuseAsync(context, EngineError.BadRequest);
            return;
        }
        using var carrier = new WebSocketCarrier(stream, isServer: true, options.Limits.PayloadBytesMax);
        var packet = new ArrayBufferWriter<byte>();
        packet.Write("0"u8);
        session.Open(overWebSocket: true).Write(packet);
        session.Outbox.AddUrgent(packet.WrittenSpan);
        if (session.TryAttach(carrier) is not null) await CarryAsync(session, carrier, options, time);
    }

    public static async Task TakeOverAsync(HttpContext context, EngineSession session, SocketIOServerOptions options, TimeProvider time)
    {
        if (!session.TryBeginUpgrade())
        {
            await EngineEndpoint.RefuseAsync(context, EngineError.BadRequest);
            return;
        }
        WebSocketCarrier? carrier = null;
        try
        {
            if (await WebSocketUpgrade.AcceptAsync(context) is not { } stream)
            {
                await EngineEndpoint.RefuseAsync(context, EngineError.BadRequest);
                return;
            }
            carrier = new WebSocketCarrier(stream, isServer: true, options.Limits.PayloadBytesMax);
            if (!await ProbeAsync(session, carrier, options, time)) return;
            await CarryAsync(session, carrier, options, time);
        }
        finally
        {
            session.EndUpgrade();
            carrier?.Dispose();
        }
    }

    /// <summary>The client sends "2probe", hears "3probe", lets its last polling request end and sends "5".</summary>
    private static async Task<bool> ProbeAsync(EngineSession session, WebSocketCarrier carrier, SocketIOServerOptions options, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(options.UpgradeTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, session.Ended);
        try
        {
            if (!await ExpectAsync(carrier, "2probe"u8.ToArray(), either.Token)) return false;
            await carrier.SendAsync("3probe"u8.ToArray(), either.Token);
            session.Probed();
            // From here on the client may have put polling aside for good: when the session ends now, only this WebSocket can tell it so.
            await using var goodbye = session.Ended.UnsafeRegister(_ => limit.CancelAfter(options.CloseTimeout), null);
            if (!await ExpectAsync(carrier, "5"u8.ToArray(), limit.Token)) return false;
            if (session.TryAttach(carrier) is not { } pollEnded)
            {
                // What still waits, and the end.
                if (session.IsClosed) await carrier.SendAsync(session.Outbox, limit.Token);
                return false;
            }
            await pollEnded.WaitAsync(either.Token);
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // The session stays where it was, on polling; unless it has moved here already.
            if (session.Transport == SocketIOTransports.WebSocket) session.Close(SocketIODisconnectReason.ConnectionLost);
            return false;
        }
    }

    private static async Task<bool> ExpectAsync(WebSocketCarrier carrier, byte[] packet, CancellationToken cancellationToken)
    {
        if (await carrier.ReceiveOneAsync(cancellationToken) is not { } message) return false;
        using var frame = message.Frame;
        return !message.IsBinary && frame.Span.SequenceEqual(packet);
    }

    private static async Task CarryAsync(EngineSession session, WebSocketCarrier carrier, SocketIOServerOptions options, TimeProvider time)
    {
        using var lost = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        var sending = SendAsync(session, carrier, lost.Token);
        // After the session's end the peer may still be told why, for a short while.
        await using var goodbye = session.Ended.UnsafeRegister(_ => lost.CancelAfter(options.CloseTimeout), null);
        try
        {
            await carrier.ReceiveAsync(session, lost.Token);
            session.Close(SocketIODisconnectReason.ConnectionLost);
        }
        catch (Exception e) when (e is SocketIOProtocolException or WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            session.Close(e);
        }
        await sending;
    }

    private static async Task SendAsync(EngineSession session, WebSocketCarrier carrier, CancellationToken cancellationToken)
    {
        try
        {
            await carrier.SendAsync(session.Outbox, cancellationToken);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            session.Close(SocketIODisconnectReason.ConnectionLost);
            carrier.Abort();
        }
    }
}
