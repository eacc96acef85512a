namespace Mooring.Mqtt.Codec;

/// <summary>CONNACK (MQTT-3.2). Layout: flags (bit 0 session present), return or reason code, properties (5.0).</summary>
internal readonly ref struct ConnAckView
{
    private ConnAckView(bool sessionPresent, MqttReasonCode reason, PropertyBlock properties)
    {
        SessionPresent = sessionPresent;
        Reason = reason;
        Properties = properties;
    }

    internal bool SessionPresent { get; }

    /// <summary>5.0 reason code; 3.1.1 return codes are mapped.</summary>
    internal MqttReasonCode Reason { get; }

    internal PropertyBlock Properties { get; }

    internal static ConnAckView Read(in MqttFrame frame, MqttVersion version)
    {
        var fields = new FieldReader(frame.Body);
        var flags = fields.ReadByte();
        if ((flags & 0xFE) != 0)
        {
            MqttProtocolException.ThrowMalformed("reserved CONNACK flags are set");
        }

        var code = fields.ReadByte();
        if (version != MqttVersion.V500)
        {
            fields.ExpectEnd();
            return new ConnAckView(flags == 1, ReasonCodes.FromVersion3(code), default);
        }

        // A server that does not know 5.0 refuses in the form of 3.1.1, without properties.
        if (code == 1 && fields.IsAtEnd)
        {
            return new ConnAckView(false, MqttReasonCode.UnsupportedProtocolVersion, default);
        }

        if (!ReasonCodes.IsAllowed(MqttPacketType.ConnAck, code))
        {
            MqttProtocolException.ThrowProtocolError($"reason code 0x{code:X2} may not stand in CONNACK");
        }

        var properties = fields.ReadProperties(MqttPacketType.ConnAck);
        fields.ExpectEnd();
        return new ConnAckView(flags == 1, (MqttReasonCode)code, properties);
    }
}
