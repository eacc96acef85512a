using System.Buffers.Binary;

namespace Mooring.Chat.Protocol;

/// <summary>
/// Frames of RFC 6455, the server's end: what comes in is masked, what goes out is not, and nothing is fragmented on the way out.
/// <code>
/// byte 0: FIN 1 bit, reserved 3 bits, opcode 4 bits
/// byte 1: MASK 1 bit, length 7 bits; 126: 2 bytes of length follow, 127: 8 bytes
/// 4 bytes of mask, when MASK is set; payload
/// </code>
/// </summary>
internal static class WebSocketFrame
{
    internal const byte Continuation = 0;
    internal const byte Text = 1;
    internal const byte Binary = 2;
    internal const byte Close = 8;
    internal const byte Ping = 9;
    internal const byte Pong = 10;
    internal const int HeadBytesMax = 10;

    /// <summary>RFC 7692, 6: the first reserved bit of a message's first frame.</summary>
    internal const byte Compressed = 0x40;

    private const byte Final = 0x80;
    private const byte Masked = 0x80;
    private const byte Reserved = 0x70;
    private const byte OpcodeBits = 0x0F;
    private const byte LengthBits = 0x7F;
    private const byte Length16 = 126;
    private const byte Length64 = 127;
    private const int ControlPayloadMax = 125;
    private const int MaskBytes = 4;

    /// <summary>Writes the head of a whole message; returns its length.</summary>
    internal static int WriteHead(byte opcode, int length, Span<byte> destination)
    {
        destination[0] = (byte)(Final | opcode);
        switch (length)
        {
            case <= ControlPayloadMax:
                destination[1] = (byte)length;
                return 2;
            case <= ushort.MaxValue:
                destination[1] = Length16;
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)length);
                return 4;
            default:
                destination[1] = Length64;
                BinaryPrimitives.WriteUInt64BigEndian(destination[2..], (ulong)length);
                return HeadBytesMax;
        }
    }

    /// <summary>A whole frame in an array of its own.</summary>
    internal static byte[] Encode(byte opcode, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[HeadBytesMax];
        var length = WriteHead(opcode, payload.Length, head);
        return [.. head[..length], .. payload];
    }

    internal static byte[] EncodeClose(int code, string reason)
    {
        Span<byte> payload = stackalloc byte[ControlPayloadMax];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        System.Text.Unicode.Utf8.FromUtf16(reason, payload[2..], out _, out var written);
        return Encode(Close, payload[..(2 + written)]);
    }

    /// <summary>Where the payload of the server's own frame begins.</summary>
    internal static int PayloadStart(ReadOnlySpan<byte> frame) => frame[1] switch
    {
        Length16 => 4,
        Length64 => HeadBytesMax,
        _ => 2,
    };

    /// <summary>End of the frame of the server's own that begins at <paramref name="start"/>.</summary>
    internal static int End(ReadOnlySpan<byte> frames, int start)
    {
        var length = frames[start + 1];
        return length switch
        {
            Length16 => start + 4 + BinaryPrimitives.ReadUInt16BigEndian(frames[(start + 2)..]),
            Length64 => start + HeadBytesMax + (int)BinaryPrimitives.ReadUInt64BigEndian(frames[(start + 2)..]),
            _ => start + 2 + length,
        };
    }

    /// <summary>Reads a client's frame and takes its mask off in place.</summary>
    /// <param name="bytes">What was received.</param>
    /// <param name="payloadMax">Longest payload.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="mayCompress">Whether compressed messages were agreed on.</param>
    /// <returns>Need more, a frame, or the close code of an error.</returns>
    internal static FrameResult Read(Span<byte> bytes, int payloadMax, out ClientFrame frame, bool mayCompress = false)
    {
        frame = default;
        if (bytes.Length < 2) return FrameResult.NeedMore;
        var opcode = (byte)(bytes[0] & OpcodeBits);
        var isFinal = (bytes[0] & Final) != 0;
        var allowed = mayCompress && opcode is Text or Binary ? Compressed : 0;
        if ((bytes[0] & Reserved & ~allowed) != 0 || (bytes[1] & Masked) == 0 || opcode is > Binary and < Close or > Pong) return FrameResult.Malformed;
        var head = 2;
        long length = bytes[1] & LengthBits;
        if (opcode >= Close && (!isFinal || length > ControlPayloadMax)) return FrameResult.Malformed;
        if (length == Length16)
        {
            head = 4;
            if (bytes.Length < head) return FrameResult.NeedMore;
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        }
        else if (length == Length64)
        {
            head = HeadBytesMax;
            if (bytes.Length < head) return FrameResult.NeedMore;
            length = BinaryPrimitives.ReadInt64BigEndian(bytes[2..]);
        }
        if (length < 0 || length > payloadMax) return FrameResult.TooLarge;
        if (bytes.Length < head + MaskBytes + length) return FrameResult.NeedMore;
        var payload = bytes.Slice(head + MaskBytes, (int)length);
        for (var i = 0; i < payload.Length; i++) payload[i] ^= bytes[head + (i & 3)];
        frame = new ClientFrame(opcode, isFinal, payload, head + MaskBytes + (int)length) { IsCompressed = (bytes[0] & Compressed) != 0 };
        return FrameResult.Frame;
    }
}

/// <summary>What came of reading a frame.</summary>
internal enum FrameResult
{
    NeedMore,
    Frame,
    Malformed,
    TooLarge,
}

/// <summary>A frame of a client; it lends its payload.</summary>
internal readonly ref struct ClientFrame(byte opcode, bool isFinal, ReadOnlySpan<byte> payload, int length)
{
    internal byte Opcode { get; } = opcode;

    internal bool IsFinal { get; } = isFinal;

    internal bool IsCompressed { get; init; }

    internal ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>Bytes of the whole frame.</summary>
    internal int Length { get; } = length;
}
