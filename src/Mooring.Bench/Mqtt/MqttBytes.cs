using System.Buffers.Binary;
using System.Text;

namespace Mooring.Bench.Mqtt;

/// <summary>
/// The MQTT 3.1.1 packets that a load needs, encoded by hand: a generator that shares its machine with the broker must
/// cost little, and must not share a fault with the codec it measures.
/// </summary>
internal static class MqttBytes
{
    internal const byte ConnectAck = 0x20;
    internal const byte Publish = 0x30;
    internal const byte PublishAck = 0x40;
    internal const byte SubscribeAck = 0x90;
    internal const byte PingResponse = 0xD0;
    internal const int AckBytes = 4;

    private const byte Connect = 0x10;
    private const byte Subscribe = 0x82;
    private const byte ProtocolLevel = 4;
    private const byte CleanSession = 0x02;

    internal static ReadOnlySpan<byte> PingRequest => [0xC0, 0x00];

    internal static ReadOnlySpan<byte> Disconnect => [0xE0, 0x00];

    /// <summary>CONNECT: 00 04 MQTT, level, flags, keep-alive, client id.</summary>
    internal static byte[] EncodeConnect(string clientId, ushort keepAliveSeconds)
    {
        using var body = new MemoryStream();
        WriteString(body, "MQTT");
        body.WriteByte(ProtocolLevel);
        body.WriteByte(CleanSession);
        WriteUInt16(body, keepAliveSeconds);
        WriteString(body, clientId);
        return Frame(Connect, body.ToArray());
    }

    /// <summary>SUBSCRIBE: packet id, then (filter, QoS).</summary>
    internal static byte[] EncodeSubscribe(ushort packetId, string filter, int qualityOfService)
    {
        using var body = new MemoryStream();
        WriteUInt16(body, packetId);
        WriteString(body, filter);
        body.WriteByte((byte)qualityOfService);
        return Frame(Subscribe, body.ToArray());
    }

    /// <summary>PUBLISH: topic, packet id if QoS 1, payload of the given size (zeros, to be overwritten).</summary>
    internal static byte[] EncodePublish(string topic, int qualityOfService, int payloadBytes, out int idAt, out int payloadAt)
    {
        using var body = new MemoryStream();
        WriteString(body, topic);
        var idInBody = (int)body.Position;
        if (qualityOfService > 0) WriteUInt16(body, 0);
        var payloadInBody = (int)body.Position;
        body.Write(new byte[payloadBytes]);
        var frame = Frame((byte)(Publish | qualityOfService << 1), body.ToArray());
        var start = frame.Length - (int)body.Length;
        idAt = start + idInBody;
        payloadAt = start + payloadInBody;
        return frame;
    }

    /// <summary>
    /// Length of the packet at the start of <paramref name="bytes"/> and of its fixed header; false when more bytes are
    /// needed to tell.
    /// </summary>
    internal static bool TryMeasure(ReadOnlySpan<byte> bytes, out int headerLength, out int packetLength)
    {
        headerLength = packetLength = 0;
        var remaining = 0;
        for (var i = 1; i < bytes.Length && i <= 4; i++)
        {
            remaining |= (bytes[i] & 0x7F) << 7 * (i - 1);
            if ((bytes[i] & 0x80) != 0) continue;
            headerLength = i + 1;
            packetLength = headerLength + remaining;
            return true;
        }
        return bytes.Length > 4 ? throw new MooringBenchException("The server sent a malformed length.") : false;
    }

    private static byte[] Frame(byte first, byte[] body)
    {
        using var frame = new MemoryStream();
        frame.WriteByte(first);
        var rest = body.Length;
        do
        {
            var group = rest & 0x7F;
            rest >>= 7;
            frame.WriteByte((byte)(rest > 0 ? group | 0x80 : group));
        }
        while (rest > 0);
        frame.Write(body);
        return frame.ToArray();
    }

    private static void WriteString(MemoryStream stream, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        WriteUInt16(stream, (ushort)bytes.Length);
        stream.Write(bytes);
    }

    private static void WriteUInt16(MemoryStream stream, ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        stream.Write(bytes);
    }
}
