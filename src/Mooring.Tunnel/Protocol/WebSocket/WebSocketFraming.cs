using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Mooring.Tunnel.Protocol.WebSocket;

/// <summary>
/// Frames of RFC 6455, without extensions. Ours instead of the framework's, because the framework sends every message with a system
/// call of its own; a tunnel gathers the frames of many streams and sends them at once.
/// <code>
/// FIN RSV(3) opcode(4)   MASK length(7)   [length(16 or 64)]   [mask key(32)]   payload
/// </code>
/// </summary>
internal static class WebSocketFraming
{
    internal const int HeaderBytesMax = 14;
    internal const int ControlPayloadMax = 125;

    private const int FinalBit = 0x80;
    private const int ReservedBits = 0x70;
    private const int OpcodeBits = 0x0F;
    private const int MaskBit = 0x80;
    private const int Length16 = 126;
    private const int Length64 = 127;
    private const string AcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Reads a header; false when bytes are missing.</summary>
    /// <exception cref="TunnelProtocolException">The header breaks the RFC.</exception>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, out WebSocketFrameHeader header)
    {
        header = default;
        if (bytes.Length < 2) return false;
        int first = bytes[0], second = bytes[1];
        if ((first & ReservedBits) != 0) throw Broken("reserved bits without an extension");
        var opcode = (WebSocketOpcode)(first & OpcodeBits);
        if (opcode is not (<= WebSocketOpcode.Binary or (>= WebSocketOpcode.Close and <= WebSocketOpcode.Pong)))
            throw Broken($"opcode {(int)opcode}");
        var isFinal = (first & FinalBit) != 0;
        long length = second & ~MaskBit;
        if (opcode >= WebSocketOpcode.Close && (!isFinal || length > ControlPayloadMax)) throw Broken("a control frame that is long or in parts");
        var at = 2;
        switch (length)
        {
            case Length16:
                if (bytes.Length < at + 2) return false;
                length = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
                at += 2;
                break;
            case Length64:
                if (bytes.Length < at + 8) return false;
                length = BinaryPrimitives.ReadInt64BigEndian(bytes[at..]);
                if (length < 0) throw Broken("a length of 64 bits");
                at += 8;
                break;
        }
        uint? key = null;
        if ((second & MaskBit) != 0)
        {
            if (bytes.Length < at + 4) return false;
            key = MemoryMarshal.Read<uint>(bytes[at..]);
            at += 4;
        }
        header = new WebSocketFrameHeader(opcode, isFinal, key, length, at);
        return true;
    }

    /// <summary>Writes a header and gives its length.</summary>
    public static int WriteHeader(Span<byte> target, WebSocketOpcode opcode, long payloadLength, uint? maskKey = null, bool isFinal = true)
    {
        target[0] = (byte)((isFinal ? FinalBit : 0) | (int)opcode);
        var mask = maskKey is null ? 0 : MaskBit;
        var at = 2;
        switch (payloadLength)
        {
            case < Length16:
                target[1] = (byte)(mask | (int)payloadLength);
                break;
            case <= ushort.MaxValue:
                target[1] = (byte)(mask | Length16);
                BinaryPrimitives.WriteUInt16BigEndian(target[at..], (ushort)payloadLength);
                at += 2;
                break;
            default:
                target[1] = (byte)(mask | Length64);
                BinaryPrimitives.WriteInt64BigEndian(target[at..], payloadLength);
                at += 8;
                break;
        }
        if (maskKey is not { } key) return at;
        MemoryMarshal.Write(target[at..], in key);
        return at + 4;
    }

    /// <summary>Bytes that <see cref="WriteHeader"/> will write.</summary>
    public static int HeaderLength(long payloadLength, bool isMasked) =>
        (payloadLength switch { < Length16 => 2, <= ushort.MaxValue => 4, _ => 10 }) + (isMasked ? 4 : 0);

    /// <summary>Masks or unmasks in place. <paramref name="offset"/> is the position of the first byte in its payload.</summary>
    public static void Mask(Span<byte> payload, uint key, long offset = 0)
    {
        var turned = BitConverter.IsLittleEndian
            ? BitOperations.RotateRight(key, (int)(offset & 3) * 8)
            : BitOperations.RotateLeft(key, (int)(offset & 3) * 8);
        var vectors = MemoryMarshal.Cast<byte, Vector<uint>>(payload);
        var wide = new Vector<uint>(turned);
        foreach (ref var vector in vectors) vector ^= wide;
        var at = vectors.Length * Vector<byte>.Count;
        Span<byte> bytes = stackalloc byte[4];
        MemoryMarshal.Write(bytes, in turned);
        for (var i = at; i < payload.Length; i++) payload[i] ^= bytes[i & 3];
    }

    /// <summary>Payload of a close frame: code and reason, cut to what a control frame holds.</summary>
    public static int WriteClosePayload(Span<byte> target, int code, string reason)
    {
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)code);
        // Whole characters only: half of one would make the frame invalid.
        Utf8.FromUtf16(reason, target[2..ControlPayloadMax], out _, out var written);
        return 2 + written;
    }

    /// <summary>Code and reason of a close frame; 1005 when the frame has none.</summary>
    public static (int Code, string Reason) ReadClosePayload(ReadOnlySpan<byte> payload) => payload.Length < 2
        ? (1005, "")
        : (BinaryPrimitives.ReadUInt16BigEndian(payload), Encoding.UTF8.GetString(payload[2..]));

    /// <summary>Sec-WebSocket-Accept for a Sec-WebSocket-Key.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 1.3 names SHA-1; nothing secret depends on it")]
    public static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + AcceptSuffix)));

    private static TunnelProtocolException Broken(string detail) => new(TunnelProtocolError.WebSocket, detail);
}
