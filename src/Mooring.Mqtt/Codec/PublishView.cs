namespace Mooring.Mqtt.Codec;

/// <summary>PUBLISH (MQTT-3.3), as it stands in the receive buffer.</summary>
/// <remarks>
/// Layout: topic (string), packet identifier (QoS above 0), properties (5.0), payload (the rest).
/// </remarks>
internal readonly ref struct PublishView
{
    private PublishView(
        byte flags, ReadOnlySpan<byte> topic, ushort packetId, PropertyBlock properties, ReadOnlySpan<byte> payload)
    {
        Flags = flags;
        Topic = topic;
        PacketId = packetId;
        Properties = properties;
        Payload = payload;
    }

    /// <summary>Bit 3 DUP, bits 2-1 QoS, bit 0 RETAIN.</summary>
    internal byte Flags { get; }

    internal bool Duplicate => (Flags & 0x08) != 0;

    internal QualityOfService QualityOfService => (QualityOfService)((Flags >> 1) & 0x03);

    internal bool Retain => (Flags & 0x01) != 0;

    /// <summary>Topic name; may be empty in 5.0 when an alias stands for it.</summary>
    internal ReadOnlySpan<byte> Topic { get; }

    /// <summary>1 to 65,535; 0 for QoS 0.</summary>
    internal ushort PacketId { get; }

    internal PropertyBlock Properties { get; }

    internal ReadOnlySpan<byte> Payload { get; }

    /// <summary>
    /// Reads the packet. <paramref name="lastTopic"/> is the topic of the connection's previous PUBLISH: the same bytes again need no
    /// second validation, and one topic for ever is the rule on a car's connection.
    /// </summary>
    internal static PublishView Read(
        in MqttFrame frame, MqttVersion version, ReadOnlySpan<byte> lastTopic = default)
    {
        var flags = (byte)(frame.FirstByte & 0x0F);
        var fields = new FieldReader(frame.Body);
        var topic = fields.ReadBinary();
        if (!topic.SequenceEqual(lastTopic) && !Utf8Text.IsValid(topic))
        {
            MqttProtocolException.ThrowMalformed("the topic is not well-formed UTF-8, or holds U+0000");
        }

        // DUP must be 0 for QoS 0 (MQTT-3.3.1-2).
        if ((flags & 0x0E) == 0x08)
        {
            MqttProtocolException.ThrowMalformed("DUP set in a PUBLISH of QoS 0");
        }

        var packetId = (flags & 0x06) == 0 ? (ushort)0 : fields.ReadPacketId();
        var properties = version == MqttVersion.V500 ? fields.ReadProperties(MqttPacketType.Publish) : default;
        return new PublishView(flags, topic, packetId, properties, fields.Rest);
    }
}
