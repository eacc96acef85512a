namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>
/// Capability "raw": a StreamData without its map. 0xC1 begins no MessagePack value, so a peer without the capability skips the
/// message as undecodable.
/// <code>
/// 0xC1  stream id (varint)  flags (1)  [credit (varint) when flag 5]  bytes to the end of the message
/// flags: bits 0-1 <see cref="DataFraming"/>, bits 2-3 <see cref="DataKind"/>, bit 4 end of the sender's direction, bit 5 credit follows
/// varint: LEB128, least significant seven bits first, as in protocol buffers
/// </code>
/// </summary>
internal static class RawFrame
{
    internal const byte Mark = 0xC1;

    /// <summary>Most bytes before the payload.</summary>
    internal const int HeaderBytesMax = 1 + VarintBytesMax + 1 + VarintBytesMax;

    private const int VarintBytesMax = 9;
    private const int KindShift = 2;
    private const int EndFlag = 1 << 4;
    private const int CreditFlag = 1 << 5;
    private const int KnownFlags = 0x3F;

    public static bool Is(ReadOnlySpan<byte> message) => !message.IsEmpty && message[0] == Mark;

    /// <summary>Reads a frame; the view's bytes are a slice of the message.</summary>
    /// <exception cref="TunnelProtocolException">It is cut or has flags that this version does not know.</exception>
    public static FrameView Read(ReadOnlySpan<byte> message)
    {
        var at = 1;
        var frame = new FrameView { Kind = FrameKind.StreamData, Version = ProtocolVersion.One };
        frame.StreamId = ReadVarint(message, ref at);
        if (at >= message.Length) throw Truncated();
        int flags = message[at++];
        var kind = flags >> KindShift & 3;
        if ((flags & ~KnownFlags) != 0 || (flags & 3) == 3 || kind == 3)
            throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, $"flags {flags:X2} of a raw frame");
        frame.Framing = (DataFraming)(flags & 3);
        frame.DataKind = (DataKind)kind;
        frame.IsEnd = (flags & EndFlag) != 0;
        if ((flags & CreditFlag) != 0) frame.Credit = ReadVarint(message, ref at);
        frame.Bytes = message[at..];
        return frame;
    }

    /// <summary>Bytes that <see cref="WriteHeader"/> will write.</summary>
    public static int HeaderLength(long streamId, long credit = 0) => 2 + VarintLength(streamId) + (credit > 0 ? VarintLength(credit) : 0);

    /// <summary>Writes what stands before the payload and gives its length.</summary>
    public static int WriteHeader(
        Span<byte> target, long streamId, DataFraming framing = DataFraming.Plain, DataKind kind = DataKind.Bytes, bool isEnd = false, long credit = 0)
    {
        target[0] = Mark;
        var at = 1 + WriteVarint(target[1..], streamId);
        target[at++] = (byte)((int)framing | (int)kind << KindShift | (isEnd ? EndFlag : 0) | (credit > 0 ? CreditFlag : 0));
        if (credit > 0) at += WriteVarint(target[at..], credit);
        return at;
    }

    private static long ReadVarint(ReadOnlySpan<byte> message, ref int at)
    {
        long value = 0;
        for (var shift = 0; shift < VarintBytesMax * 7; shift += 7)
        {
            if (at >= message.Length) throw Truncated();
            var next = message[at++];
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, "a varint of more than 63 bits");
    }

    private static int WriteVarint(Span<byte> target, long value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7) target[at++] = (byte)(value | 0x80);
        target[at++] = (byte)value;
        return at;
    }

    private static int VarintLength(long value) => (70 - (int)long.LeadingZeroCount(value | 1)) / 7;

    private static TunnelProtocolException Truncated() => new(TunnelProtocolError.Truncated, "a raw frame ends in its header");
}
