using System.Buffers;
using System.Buffers.Text;

namespace Mooring.SocketIO.Codec;

/// <summary>
/// Socket.IO protocol 5, inside the message packets of Engine.IO:
/// <code>
/// packet    = type(1 character '0'..'6') [ count '-' ] [ namespace ',' ] [ id ] [ JSON ]
/// count     = digits         attachments that follow, types 5 and 6 only
/// namespace = '/' text       left out for "/"; ends at ',' or at the end
/// id        = digits         types 2, 3, 5 and 6
/// JSON      = object                       connect (may be missing)
///           | [ name, argument... ]        event
///           | [ argument... ]              acknowledgement
///           | object or string             connect error
/// </code>
/// </summary>
internal static class SocketIOCodec
{
    /// <summary>Reads the packet in the body of an Engine.IO message. The JSON is not looked at yet.</summary>
    public static SocketIOPacket Read(ReadOnlySpan<byte> frame)
    {
        if (frame.IsEmpty) throw new SocketIOProtocolException(SocketIOProtocolError.EmptyPacket, "an empty Socket.IO packet");
        var type = (SocketIOPacketType)(byte)(frame[0] - '0');
        if (type > SocketIOPacketType.BinaryAck)
            throw new SocketIOProtocolException(SocketIOProtocolError.UnknownType, $"0x{frame[0]:X2} is no Socket.IO packet type");
        var at = 1;
        var attachments = type is SocketIOPacketType.BinaryEvent or SocketIOPacketType.BinaryAck ? ReadAttachmentCount(frame, ref at) : 0;
        var nsp = ReadNamespace(frame, ref at);
        var id = ReadId(frame, ref at);
        var packet = new SocketIOPacket(type, attachments, nsp, id, new Slice(at, frame.Length - at));
        CheckShape(packet);
        return packet;
    }

    /// <summary>Writes everything of a packet that stands before its JSON, the Engine.IO type included.</summary>
    public static void WriteHead(
        IBufferWriter<byte> output, SocketIOPacketType type, ReadOnlySpan<byte> nsp, long? id = null, int attachments = 0)
    {
        const int NumberDigitsMax = 19;
        var span = output.GetSpan(2 + NumberDigitsMax + 1 + nsp.Length + 1 + NumberDigitsMax);
        span[0] = EngineIOCodec.TypeByte(EngineIOPacketType.Message);
        span[1] = (byte)('0' + (byte)type);
        var at = 2;
        if (type is SocketIOPacketType.BinaryEvent or SocketIOPacketType.BinaryAck)
        {
            Utf8Formatter.TryFormat(attachments, span[at..], out var digits);
            at += digits;
            span[at++] = (byte)'-';
        }
        if (!nsp.IsEmpty)
        {
            nsp.CopyTo(span[at..]);
            at += nsp.Length;
            span[at++] = (byte)',';
        }
        if (id is { } number)
        {
            Utf8Formatter.TryFormat(number, span[at..], out var digits);
            at += digits;
        }
        output.Advance(at);
    }

    /// <summary>The namespace as it goes over the wire: nothing for the root.</summary>
    public static ReadOnlySpan<byte> Normalize(ReadOnlySpan<byte> nsp) => nsp is [(byte)'/'] ? default : nsp;

    private static int ReadAttachmentCount(ReadOnlySpan<byte> frame, ref int at)
    {
        if (!TryReadNumber(frame, ref at, out var count) || at == frame.Length || frame[at] != '-')
            throw new SocketIOProtocolException(SocketIOProtocolError.BadAttachments, "a binary packet without a number of attachments");
        if (count > CodecLimits.AttachmentsMax)
            throw new SocketIOProtocolException(
                SocketIOProtocolError.OverLimit, $"a packet with more than {CodecLimits.AttachmentsMax} attachments");
        at++;
        return (int)count;
    }

    private static Slice ReadNamespace(ReadOnlySpan<byte> frame, ref int at)
    {
        if (at == frame.Length || frame[at] != '/') return default;
        var rest = frame[at..];
        var comma = rest.IndexOf((byte)',');
        var length = comma < 0 ? rest.Length : comma;
        if (length > CodecLimits.NamespaceBytesMax || rest[..length].ContainsAnyInRange((byte)0, (byte)0x1F))
            throw new SocketIOProtocolException(
                SocketIOProtocolError.BadNamespace,
                $"a namespace longer than {CodecLimits.NamespaceBytesMax} bytes or with control characters");
        var slice = new Slice(at, length);
        at += comma < 0 ? length : length + 1;
        return length == 1 ? default : slice;
    }

    private static long? ReadId(ReadOnlySpan<byte> frame, ref int at)
    {
        if (at == frame.Length || !char.IsAsciiDigit((char)frame[at])) return null;
        return TryReadNumber(frame, ref at, out var id)
            ? id
            : throw new SocketIOProtocolException(
                SocketIOProtocolError.BadId, "an id that is over 2^53 - 1 or has leading zeros");
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> frame, ref int at, out long number)
    {
        var start = at;
        number = 0;
        while (at < frame.Length && char.IsAsciiDigit((char)frame[at]))
        {
            number = (number * 10) + (frame[at++] - '0');
            if (number > CodecLimits.IdMax) return false;
        }
        return at > start && (at == start + 1 || frame[start] != '0');
    }

    private static void CheckShape(in SocketIOPacket packet)
    {
        var (hasId, hasPayload) = (packet.Id is not null, !packet.Payload.IsEmpty);
        var isRight = packet.Type switch
        {
            SocketIOPacketType.Connect => !hasId,
            SocketIOPacketType.Disconnect => !hasId && !hasPayload,
            SocketIOPacketType.ConnectError => !hasId && hasPayload,
            SocketIOPacketType.Event or SocketIOPacketType.BinaryEvent => hasPayload,
            _ => hasId && hasPayload,
        };
        if (!isRight)
            throw new SocketIOProtocolException(
                SocketIOProtocolError.BadPayload, $"a {packet.Type} packet with an id or payload that it must not, or without one that it must have");
    }
}
