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
            if (!await ReadBodyAsync(context, body, payloadBytesMax))
            {
                session.Close(SocketIODisconnectReason.ProtocolError);
                await EngineEndpoint.RefuseAsync(context, EngineError.TooLarge);
                return;
            }
            await DeliverAsync(body, session);
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
            Write(writer, batch);
            session.Outbox.Return(batch);
        }
        else writer.Write(session.IsClosed ? Close : Noop);
    }

    private static void Write(IBufferWriter<byte> writer, OutboxBatch batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            if (i > 0) writer.Write([EngineIOCodec.Separator]);
            if (batch.IsBinary(i)) EngineIOCodec.WriteBinary(writer, batch[i].Span);
            else writer.Write(batch[i].Span);
        }
    }

    private static void Begin(HttpContext context)
    {
        context.Response.ContentType = "text/plain; charset=UTF-8";
        context.Response.Headers.CacheControl = "no-store";
    }

    private static async Task<bool> ReadBodyAsync(HttpContext context, ByteBuffer body, int payloadBytesMax)
    {
        if (context.Request.ContentLength > payloadBytesMax) return false;
        // The server's own limit is for pages and forms; ours is counted here.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (body.Length + read.Buffer.Length > payloadBytesMax) return false;
            foreach (var segment in read.Buffer) body.Write(segment.Span);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return true;
        }
    }

    private static async Task DeliverAsync(ByteBuffer body, EngineSession session)
    {
        EngineIOCodec.CheckPayload(body.Span);
        if (body.Length == 0) throw new SocketIOProtocolException(SocketIOProtocolError.EmptyPacket, "an empty polling body");
        var at = 0;
        while (at < body.Length && !session.IsClosed)
        {
            var handled = DeliverNext(body, session, ref at);
            if (!handled.IsCompletedSuccessfully) await handled;
        }
    }

    private static ValueTask DeliverNext(ByteBuffer body, EngineSession session, ref int at)
    {
        var rest = body.Span[at..];
        EngineIOCodec.TryTakePacket(ref rest, out var packet);
        at = body.Length - rest.Length;
        if (!EngineIOCodec.IsBinary(packet)) return session.TextAsync(PooledFrame.CopyOf(packet));
        var array = ArrayPool<byte>.Shared.Rent(EngineIOCodec.BinaryLengthMax(packet));
        try
        {
            var length = EngineIOCodec.ReadBinary(packet, array);
            var frame = new PooledFrame(array, length);
            array = null;
            return session.BinaryAsync(frame);
        }
        finally
        {
            if (array is not null) ArrayPool<byte>.Shared.Return(array);
        }
    }
}
