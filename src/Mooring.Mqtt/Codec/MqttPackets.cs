using System.Buffers;
using System.Buffers.Binary;

namespace Mooring.Mqtt.Codec;

/// <summary>
/// Writes packets. The layout of each stands beside its view; here only lengths are computed, so that every packet is
/// written once, front to back, into one span.
/// </summary>
internal static class MqttPackets
{
    internal static ReadOnlySpan<byte> PingReq => [0xC0, 0x00];

    internal static ReadOnlySpan<byte> PingResp => [0xD0, 0x00];

    internal static void WriteConnect(IBufferWriter<byte> output, in ConnectFields connect)
    {
        var v5 = connect.Version == MqttVersion.V500;
        ReadOnlySpan<byte> protocolName = connect.Version == MqttVersion.V310 ? "MQIsdp"u8 : "MQTT"u8;
        var body = 2 + protocolName.Length + 1 + 1 + 2
            + (v5 ? BlockLength(connect.Properties) : 0)
            + 2 + connect.ClientId.Length
            + (connect.HasWill
                ? (v5 ? BlockLength(connect.WillProperties) : 0) + 2 + connect.WillTopic.Length + 2 + connect.WillPayload.Length
                : 0)
            + (connect.HasUserName ? 2 + connect.UserName.Length : 0)
            + (connect.HasPassword ? 2 + connect.Password.Length : 0);
        var writer = Begin(output, 0x10, body, out var total);
        writer.WriteString(protocolName);
        writer.WriteByte((byte)connect.Version);
        writer.WriteByte(connect.Flags);
        writer.WriteUInt16(connect.KeepAliveSeconds);
        if (v5)
        {
            writer.WriteBlock(connect.Properties);
        }

        writer.WriteString(connect.ClientId);
        if (connect.HasWill)
        {
            if (v5)
            {
                writer.WriteBlock(connect.WillProperties);
            }

            writer.WriteString(connect.WillTopic);
            writer.WriteString(connect.WillPayload);
        }

        if (connect.HasUserName)
        {
            writer.WriteString(connect.UserName);
        }

        if (connect.HasPassword)
        {
            writer.WriteString(connect.Password);
        }

        output.Advance(total);
    }

    internal static void WriteConnAck(
        IBufferWriter<byte> output, MqttVersion version, bool sessionPresent, MqttReasonCode reason, ReadOnlySpan<byte> properties)
    {
        var v5 = version == MqttVersion.V500;
        var writer = Begin(output, 0x20, 2 + (v5 ? BlockLength(properties) : 0), out var total);
        writer.WriteByte(sessionPresent ? (byte)1 : (byte)0);
        writer.WriteByte(v5 ? (byte)reason : ReasonCodes.ToVersion3(reason));
        if (v5)
        {
            writer.WriteBlock(properties);
        }

        output.Advance(total);
    }

    /// <summary>Whole length of a PUBLISH, for limits and for buffers that are reserved by the caller.</summary>
    internal static int PublishLength(
        MqttVersion version, int topicLength, QualityOfService qos, int propertyLength, int payloadLength, out int body)
    {
        body = 2 + topicLength + (qos == QualityOfService.AtMostOnce ? 0 : 2) + payloadLength;
        if (version == MqttVersion.V500)
        {
            body += VariableByteInteger.LengthOf((uint)propertyLength) + propertyLength;
        }

        return 1 + VariableByteInteger.LengthOf((uint)body) + body;
    }

    /// <summary>PUBLISH; in the flags, bit 3 is DUP, bits 2-1 are QoS, bit 0 is RETAIN.</summary>
    internal static void WritePublish(
        IBufferWriter<byte> output, MqttVersion version, byte flags, ReadOnlySpan<byte> topic, ushort packetId,
        ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload)
    {
        var qos = (QualityOfService)((flags >> 1) & 0x03);
        PublishLength(version, topic.Length, qos, properties.Length, payload.Length, out var body);
        var writer = Begin(output, (byte)(0x30 | flags), body, out var total);
        writer.WriteString(topic);
        if (qos != QualityOfService.AtMostOnce)
        {
            writer.WriteUInt16(packetId);
        }

        if (version == MqttVersion.V500)
        {
            writer.WriteBlock(properties);
        }

        writer.WriteBytes(payload);
        output.Advance(total);
    }

    /// <summary>PUBACK, PUBREC, PUBREL, PUBCOMP: four bytes unless there is something to say.</summary>
    internal static void WriteAck(
        IBufferWriter<byte> output, MqttPacketType type, MqttVersion version, ushort packetId,
        MqttReasonCode reason = MqttReasonCode.Success, ReadOnlySpan<byte> properties = default)
    {
        var firstByte = (byte)(((int)type << 4) | (type == MqttPacketType.PubRel ? 0x02 : 0x00));
        if (version != MqttVersion.V500 || (reason == MqttReasonCode.Success && properties.IsEmpty))
        {
            var span = output.GetSpan(4);
            span[0] = firstByte;
            span[1] = 2;
            BinaryPrimitives.WriteUInt16BigEndian(span[2..], packetId);
            output.Advance(4);
            return;
        }

        var writer = Begin(output, firstByte, 3 + (properties.IsEmpty ? 0 : BlockLength(properties)), out var total);
        writer.WriteUInt16(packetId);
        writer.WriteByte((byte)reason);
        if (!properties.IsEmpty)
        {
            writer.WriteBlock(properties);
        }

        output.Advance(total);
    }

    /// <summary>SUBSCRIBE with one entry per (filter, options) pair.</summary>
    internal static void WriteSubscribe(
        IBufferWriter<byte> output, MqttVersion version, ushort packetId, ReadOnlySpan<byte> properties,
        IReadOnlyList<(ReadOnlyMemory<byte> Filter, byte Options)> entries)
    {
        var v5 = version == MqttVersion.V500;
        var body = 2 + (v5 ? BlockLength(properties) : 0) + entries.Sum(entry => 3 + entry.Filter.Length);
        var writer = Begin(output, 0x82, body, out var total);
        writer.WriteUInt16(packetId);
        if (v5)
        {
            writer.WriteBlock(properties);
        }

        foreach (var (filter, options) in entries)
        {
            writer.WriteString(filter.Span);
            writer.WriteByte(options);
        }

        output.Advance(total);
    }

    internal static void WriteUnsubscribe(
        IBufferWriter<byte> output, MqttVersion version, ushort packetId, IReadOnlyList<ReadOnlyMemory<byte>> filters)
    {
        var v5 = version == MqttVersion.V500;
        var writer = Begin(output, 0xA2, 2 + (v5 ? 1 : 0) + filters.Sum(filter => 2 + filter.Length), out var total);
        writer.WriteUInt16(packetId);
        if (v5)
        {
            writer.WriteBlock(default);
        }

        foreach (var filter in filters)
        {
            writer.WriteString(filter.Span);
        }

        output.Advance(total);
    }

    /// <summary>SUBACK or UNSUBACK; an UNSUBACK of 3.1.1 carries no codes.</summary>
    internal static void WriteCodes(
        IBufferWriter<byte> output, MqttPacketType type, MqttVersion version, ushort packetId, ReadOnlySpan<byte> codes)
    {
        var v5 = version == MqttVersion.V500;
        if (!v5 && type == MqttPacketType.UnsubAck)
        {
            codes = default;
        }

        var writer = Begin(output, (byte)((int)type << 4), 2 + (v5 ? 1 : 0) + codes.Length, out var total);
        writer.WriteUInt16(packetId);
        if (v5)
        {
            writer.WriteBlock(default);
        }

        writer.WriteBytes(codes);
        output.Advance(total);
    }

    /// <summary>DISCONNECT or AUTH.</summary>
    internal static void WriteReason(
        IBufferWriter<byte> output, MqttPacketType type, MqttVersion version, MqttReasonCode reason,
        ReadOnlySpan<byte> properties = default)
    {
        var empty = version != MqttVersion.V500 || (reason == MqttReasonCode.Success && properties.IsEmpty);
        var body = empty ? 0 : 1 + (properties.IsEmpty ? 0 : BlockLength(properties));
        var writer = Begin(output, (byte)((int)type << 4), body, out var total);
        if (!empty)
        {
            writer.WriteByte((byte)reason);
            if (!properties.IsEmpty)
            {
                writer.WriteBlock(properties);
            }
        }

        output.Advance(total);
    }

    private static int BlockLength(ReadOnlySpan<byte> properties) =>
        VariableByteInteger.LengthOf((uint)properties.Length) + properties.Length;

    private static FieldWriter Begin(IBufferWriter<byte> output, byte firstByte, int body, out int total)
    {
        total = 1 + VariableByteInteger.LengthOf((uint)body) + body;
        var writer = new FieldWriter(output.GetSpan(total)[..total]);
        writer.WriteByte(firstByte);
        writer.WriteVariable((uint)body);
        return writer;
    }
}
