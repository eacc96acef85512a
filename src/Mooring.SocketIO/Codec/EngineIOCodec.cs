using System.Buffers;
using System.Buffers.Text;
using System.Text.Unicode;

namespace Mooring.SocketIO.Codec;

/// <summary>
/// Engine.IO protocol 4. A WebSocket text frame holds one packet; a binary frame is the body of a message. A polling body holds
/// packets with U+001E between them:
/// <code>
/// packet  = type(1 character '0'..'6') body
///         | 'b' Base64                            a binary message, in polling bodies only
/// payload = packet *( 0x1E packet )
/// </code>
/// </summary>
internal static class EngineIOCodec
{
    /// <summary>Between two packets of a polling body. JSON cannot contain it unescaped.</summary>
    public const byte Separator = 0x1E;

    public const byte BinaryMark = (byte)'b';

    /// <summary>What follows the type in the first packet over a WebSocket that wants to take over, and in its answer.</summary>
    public static ReadOnlySpan<byte> Probe => "probe"u8;

    /// <summary>Reads the packet of a WebSocket text frame, or one text packet of a polling body.</summary>
    public static EngineIOPacketType ReadPacket(ReadOnlySpan<byte> frame)
    {
        if (frame.IsEmpty) throw new SocketIOProtocolException(SocketIOProtocolError.EmptyPacket, "an empty Engine.IO packet");
        var type = (byte)(frame[0] - '0');
        if (type > (byte)EngineIOPacketType.Noop)
            throw new SocketIOProtocolException(SocketIOProtocolError.UnknownType, $"0x{frame[0]:X2} is no Engine.IO packet type");
        return (EngineIOPacketType)type;
    }

    /// <summary>A polling body is text; its packets may only be looked at after this.</summary>
    public static void CheckPayload(ReadOnlySpan<byte> payload)
    {
        if (!Utf8.IsValid(payload)) throw new SocketIOProtocolException(SocketIOProtocolError.BadEncoding, "a polling body is not UTF-8");
        if (payload.Count(Separator) >= CodecLimits.PacketsInPayloadMax)
            throw new SocketIOProtocolException(
                SocketIOProtocolError.OverLimit, $"a polling body of more than {CodecLimits.PacketsInPayloadMax} packets");
    }

    /// <summary>Takes the first packet off a polling body.</summary>
    /// <param name="payload">The body; on true what follows the packet and its separator.</param>
    /// <param name="packet">The packet with its type.</param>
    /// <returns>False at the end.</returns>
    public static bool TryTakePacket(ref ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> packet)
    {
        packet = default;
        if (payload.IsEmpty) return false;
        var end = payload.IndexOf(Separator);
        packet = end < 0 ? payload : payload[..end];
        payload = end < 0 ? default : payload[(end + 1)..];
        // A separator at the very end announces one more packet, which is not there.
        if (packet.IsEmpty || (end >= 0 && payload.IsEmpty))
            throw new SocketIOProtocolException(SocketIOProtocolError.EmptyPacket, "an empty packet in a polling body");
        return true;
    }

    public static bool IsBinary(ReadOnlySpan<byte> packet) => !packet.IsEmpty && packet[0] == BinaryMark;

    /// <summary>Bytes that a binary packet of a polling body holds at most.</summary>
    public static int BinaryLengthMax(ReadOnlySpan<byte> packet) => Base64.GetMaxDecodedFromUtf8Length(packet.Length - 1);

    /// <summary>Decodes a binary packet of a polling body.</summary>
    /// <returns>How many bytes were written.</returns>
    public static int ReadBinary(ReadOnlySpan<byte> packet, Span<byte> destination)
    {
        // The framework's decoder skips white space; the wire has none.
        if (packet[1..].ContainsAny(" \t\r\n"u8)
            || Base64.DecodeFromUtf8(packet[1..], destination, out _, out var written) != OperationStatus.Done)
            throw new SocketIOProtocolException(SocketIOProtocolError.BadEncoding, "a binary packet is not Base64");
        return written;
    }

    public static byte TypeByte(EngineIOPacketType type) => (byte)('0' + (byte)type);

    /// <summary>Writes a binary message as a polling body has it.</summary>
    public static void WriteBinary(IBufferWriter<byte> output, ReadOnlySpan<byte> message)
    {
        var span = output.GetSpan(1 + Base64.GetMaxEncodedToUtf8Length(message.Length));
        span[0] = BinaryMark;
        Base64.EncodeToUtf8(message, span[1..], out _, out var written);
        output.Advance(1 + written);
    }
}
