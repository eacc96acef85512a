using System.Buffers;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Links;

/// <summary>Sends frames of generation B over a link, in the version and with the capabilities that are in force.</summary>
internal sealed class FrameLink(WebSocketLink link)
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_scratch;

    public WebSocketLink Link => link;

    /// <summary>What may wait for the targets of all streams together.</summary>
    public ByteBudget Waiting { get; private set; } = new(link.Limits.WaitingBytesMax);

    public int Version { get; private set; } = ProtocolVersion.One;

    public Capabilities Capabilities { get; private set; }

    /// <summary>Streams that this connection may have at a time.</summary>
    public int StreamsMax => Has(Capabilities.Windows) ? WireLimits.StreamsMaxWithWindows : WireLimits.StreamsMax;

    public bool Has(Capabilities capability) => (Capabilities & capability) != 0;

    /// <summary>Before the first stream. With windows each stream has a bound of its own, which the peer was told.</summary>
    public void Agree(int version, Capabilities capabilities)
    {
        (Version, Capabilities) = (version, capabilities);
        if (Has(Capabilities.Windows)) Waiting = new ByteBudget(long.MaxValue);
    }

    /// <summary>A scratch buffer of this thread, empty; good until the next await.</summary>
    public static ArrayBufferWriter<byte> Scratch()
    {
        var scratch = t_scratch ??= new ArrayBufferWriter<byte>(1024);
        scratch.ResetWrittenCount();
        return scratch;
    }

    /// <summary>Queues a StreamData; it leaves with the next flush.</summary>
    public void EnqueueData(
        long streamId, ReadOnlySpan<byte> bytes, DataFraming framing = DataFraming.Plain, DataKind kind = DataKind.Bytes, bool isEnd = false,
        long credit = 0)
    {
        if (Has(Capabilities.Raw))
        {
            Span<byte> header = stackalloc byte[RawFrame.HeaderBytesMax];
            var length = RawFrame.WriteHeader(header, streamId, framing, kind, isEnd, credit);
            link.Enqueue(header[..length], bytes);
            return;
        }
        var scratch = Scratch();
        FrameWriter.WriteStreamData(scratch, streamId, bytes, framing, kind, isEnd, credit);
        link.Enqueue(scratch.WrittenSpan);
    }

    /// <summary>Queues a response head or trailers: one message, whole.</summary>
    public void EnqueueHead(long streamId, ReadOnlySpan<byte> head)
    {
        if (Has(Capabilities.Raw))
        {
            EnqueueData(streamId, head, DataFraming.Last);
            return;
        }
        // The head lies in this thread's scratch buffer, where the frame would be written.
        var output = new ArrayBufferWriter<byte>(head.Length + 64);
        FrameWriter.WriteStreamData(output, streamId, head, DataFraming.Last);
        link.Enqueue(output.WrittenSpan);
    }

    public void EnqueueClose(long streamId, int code = 0, string? reason = null)
    {
        var scratch = Scratch();
        FrameWriter.WriteStreamClose(scratch, streamId, code, reason);
        link.Enqueue(scratch.WrittenSpan);
    }

    public void EnqueueReset(long streamId, string reason)
    {
        var scratch = Scratch();
        FrameWriter.WriteStreamReset(scratch, streamId, reason);
        link.Enqueue(scratch.WrittenSpan);
    }

    /// <summary>
    /// Queues bytes of any length, in chunks and as credit allows. Completes at once while there is credit and room; what waits is flushed.
    /// </summary>
    /// <param name="streamId">The stream.</param>
    /// <param name="credit">What it may send; null when the peer has no windows.</param>
    /// <param name="bytes">What to send.</param>
    /// <param name="kind">What the bytes are.</param>
    /// <param name="last">Framing of the last chunk; those before it say that more follows, unless they are plain.</param>
    /// <returns>False when the stream ended meanwhile.</returns>
    public ValueTask<bool> SendAsync(
        long streamId, SendCredit? credit, ReadOnlyMemory<byte> bytes, DataKind kind = DataKind.Bytes, DataFraming last = DataFraming.Plain)
    {
        if (bytes.Length > WireLimits.ChunkBytes || link.IsCrowded || (credit is not null && !credit.TryTake(bytes.Length)))
            return SendSlowlyAsync(streamId, credit, bytes, kind, last);
        EnqueueData(streamId, bytes.Span, last, kind);
        return new ValueTask<bool>(true);
    }

    private async ValueTask<bool> SendSlowlyAsync(
        long streamId, SendCredit? credit, ReadOnlyMemory<byte> bytes, DataKind kind, DataFraming last)
    {
        do
        {
            var count = Math.Min(bytes.Length, WireLimits.ChunkBytes);
            if (credit is not null && count > 0 && !credit.TryTake(count))
            {
                // What the peer needs to give credit back may still be in the queue.
                link.Flush();
                count = await credit.TakeAsync(count);
                if (count == 0) return false;
            }
            var isLast = count == bytes.Length;
            EnqueueData(streamId, bytes.Span[..count], isLast || last == DataFraming.Plain ? last : DataFraming.More, kind);
            bytes = bytes[count..];
            if (!link.IsCrowded) continue;
            link.Flush();
            await link.WaitForRoomAsync();
        }
        while (!bytes.IsEmpty);
        return !link.Ended.IsCancellationRequested;
    }
}
