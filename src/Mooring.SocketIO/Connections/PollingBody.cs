using System.Buffers;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>Bodies of polling requests and their answers: packets in and out.</summary>
internal static class PollingBody
{
    /// <summary>Hands on what is in a body, one packet after another, until the end or until nobody wants more.</summary>
    public static async Task DeliverAsync(ByteBuffer body, IFrameSink sink, Func<bool> isOver)
    {
        EngineIOCodec.CheckPayload(body.Span);
        if (body.Length == 0) throw new SocketIOProtocolException(SocketIOProtocolError.EmptyPacket, "an empty polling body");
        var at = 0;
        while (at < body.Length && !isOver())
        {
            var handled = DeliverNext(body, sink, ref at);
            if (!handled.IsCompletedSuccessfully) await handled;
        }
    }

    /// <summary>
    /// Hands on what is in a body while it still comes: how many packets a server has gathered for one answer is not limited, only each of them.
    /// </summary>
    /// <returns>Whether the last packet was the server's goodbye.</returns>
    public static async Task<bool> DeliverAsync(Stream stream, IFrameSink sink, int packetBytesMax, CancellationToken cancellationToken)
    {
        const int ChunkBytes = 16 * 1024;
        using var body = new ByteBuffer();
        var searched = 0;
        while (true)
        {
            var count = await stream.ReadAsync(body.GetMemory(ChunkBytes), cancellationToken);
            if (count == 0) break;
            body.Advance(count);
            var start = 0;
            while (body.Span[searched..].IndexOf(EngineIOCodec.Separator) is var found and >= 0)
            {
                await DeliverAsync(body.Span[start..(searched + found)], sink);
                searched = start = searched + found + 1;
            }
            body.RemoveFirst(start);
            searched = body.Length;
            if (body.Length > packetBytesMax)
                throw new SocketIOProtocolException(SocketIOProtocolError.OverLimit, $"a packet of more than {packetBytesMax} bytes");
        }
        var isGoodbye = body.Span is [(byte)'1'];
        await DeliverAsync(body.Span, sink);
        return isGoodbye;
    }

    /// <summary>Adds packets of a batch to a body, as many as fit, but at least one.</summary>
    /// <returns>The first packet that was left out.</returns>
    public static int Write(ByteBuffer body, OutboxBatch batch, int first, int bytesMax)
    {
        var at = first;
        while (at < batch.Count && (at == first || body.Length + 1 + EncodedLength(batch, at) <= bytesMax))
        {
            if (at > first) body.Write([EngineIOCodec.Separator]);
            if (batch.IsBinary(at)) EngineIOCodec.WriteBinary(body, batch[at].Span);
            else body.Write(batch[at].Span);
            at++;
        }
        return at;
    }

    /// <summary>Reads a body to its end.</summary>
    /// <returns>False when it is longer than allowed.</returns>
    public static async Task<bool> ReadAsync(Stream stream, ByteBuffer body, int bytesMax, CancellationToken cancellationToken)
    {
        const int ChunkBytes = 4096;
        while (true)
        {
            var count = await stream.ReadAsync(body.GetMemory(ChunkBytes), cancellationToken);
            if (count == 0) return true;
            body.Advance(count);
            if (body.Length > bytesMax) return false;
        }
    }

    private static int EncodedLength(OutboxBatch batch, int index) =>
        batch.IsBinary(index) ? 1 + ((batch[index].Length + 2) / 3 * 4) : batch[index].Length;

    private static ValueTask DeliverNext(ByteBuffer body, IFrameSink sink, ref int at)
    {
        var rest = body.Span[at..];
        EngineIOCodec.TryTakePacket(ref rest, out var packet);
        at = body.Length - rest.Length;
        return DeliverChecked(packet, sink);
    }

    private static ValueTask DeliverAsync(ReadOnlySpan<byte> packet, IFrameSink sink)
    {
        EngineIOCodec.CheckPayload(packet);
        return DeliverChecked(packet, sink);
    }

    private static ValueTask DeliverChecked(ReadOnlySpan<byte> packet, IFrameSink sink)
    {
        if (!EngineIOCodec.IsBinary(packet)) return sink.TextAsync(PooledFrame.CopyOf(packet));
        var array = ArrayPool<byte>.Shared.Rent(EngineIOCodec.BinaryLengthMax(packet));
        int length;
        try
        {
            length = EngineIOCodec.ReadBinary(packet, array);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(array);
            throw;
        }
        return sink.BinaryAsync(new PooledFrame(array, length));
    }
}
