namespace Mooring.Mqtt.Codec;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT-3.4 to 3.7).</summary>
internal readonly ref struct AckView
{
    private AckView(ushort packetId, MqttReasonCode reason, PropertyBlock properties)
    {
        PacketId = packetId;
        Reason = reason;
        Properties = properties;
    }

    internal ushort PacketId { get; }

    internal MqttReasonCode Reason { get; }

    internal PropertyBlock Properties { get; }

    /// <summary>Layout: packet identifier; 5.0: reason code unless the body is 2 bytes, properties unless it is 3.</summary>
    internal static AckView Read(in MqttFrame frame, MqttVersion version)
    {
        var fields = new FieldReader(frame.Body);
        var packetId = fields.ReadPacketId();
        if (version != MqttVersion.V500 || fields.IsAtEnd)
        {
            fields.ExpectEnd();
            return new AckView(packetId, MqttReasonCode.Success, default);
        }

        var reason = fields.ReadByte();
        if (!ReasonCodes.IsAllowed(frame.Type, reason))
        {
            MqttProtocolException.ThrowProtocolError($"reason code 0x{reason:X2} may not stand in {frame.Type}");
        }

        var properties = fields.IsAtEnd ? default : fields.ReadProperties(frame.Type);
        fields.ExpectEnd();
        return new AckView(packetId, (MqttReasonCode)reason, properties);
    }
}
