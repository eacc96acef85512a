using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Server;

/// <summary>Polling: a GET waits for packets and takes them home, a POST brings some.</summary>
internal static class PollingRequests
{
    private static ReadOnlySpan<byte> Close => "1"u8;

    private static ReadOnlySpan<byte> Noop => "6"u8;

    /// <summary>The first GET: answers with the open packet.</summary>
    public static async Task OpenAsync(HttpContext context, EngineSession session)
    {
        var packet = new ArrayBufferWriter<byte>();
        packet.Write("0"u8);
        session.Open(overWebSocket: false).Write(packet);
        Begin(context);
        await context.Response.BodyWriter.WriteAsync(packet.WrittenMemory, context.RequestAborted);
    }

    public static async Task GetAsync(HttpContext context, EngineSession session)
    {
        if (!session.TryBeginPoll())
        {
            // Two requests at once would tear the order of packets; after a move to a WebSocket none is expected.
            if (session.Transport == SocketIOTransports.Polling) session.Close(SocketIODisconnectReason.ProtocolError);
            await EngineEndpoint.RefuseAsync(context, EngineError.BadRequest);
            return;
        }
        try
        {
            await using var aborted = context.RequestAborted.UnsafeRegister(static s => ((EngineSession)s!).Outbox.WakeReader(), session);
            if (!session.IsProbed) await session.Outbox.ReadyAsync();
            if (context.RequestAborted.IsCancellationRequested)
            {
                session.Close(SocketIODisconnectReason.ConnectionLost);
                return;
            }
            Answer(context, session);
        }
        finally
        {
            // Before the answer goes out: the client's next request may be here before this one has ended.
            session.EndPoll();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    public static async Task PostAsync(HttpContext context, EngineSession session, int payloadBytesMax)
    {
        if (!session.TryBeginPost())
        {
            if (session.Transport == SocketIOTransports.Polling) session.Close(SocketIODisconnectReason.ProtocolError);
            await EngineEndpoint.RefuseAsync(context, EngineError.BadRequest);
            return;
        }
        try
        {
            using var body = new ByteBuffer();
            // The server's own limit is for pages and forms; ours is counted here.
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
            if (context.Request.ContentLength > payloadBytesMax
                || !await PollingBody.ReadAsync(context.Request.Body, body, payloadBytesMax, context.RequestAborted))
            {
                session.Close(SocketIODisconnectReason.ProtocolError);
                await EngineEndpoint.RefuseAsync(context, EngineError.TooLarge);
                return;
            }
            await PollingBody.DeliverAsync(body, session, () => session.IsClosed);
        }
        catch (SocketIOProtocolException e)
        {
            session.Close(e);
            await EngineEndpoint.RefuseAsync(context, EngineError.BadRequest);
            return;
        }
        finally
        {
            session.EndPost();
        }
        context.Response.ContentType = "text/html";
        context.Response.ContentLength = 2;
        await context.Response.BodyWriter.WriteAsync("ok"u8.ToArray(), context.RequestAborted);
    }

    private static void Answer(HttpContext context, EngineSession session)
    {
        Begin(context);
        var writer = context.Response.BodyWriter;
        if (session.Transport == SocketIOTransports.Polling && session.Outbox.Take() is { } batch)
        {
            using var body = new ByteBuffer();
            PollingBody.Write(body, batch, 0, int.MaxValue);
            writer.Write(body.Span);
            session.Outbox.Return(batch);
        }
        else writer.Write(session.IsClosed ? Close : Noop);
    }

    private static void Begin(HttpContext context)
    {
        context.Response.ContentType = "text/plain; charset=UTF-8";
        context.Response.Headers.CacheControl = "no-store";
    }
}
