namespace Mooring.Mqtt.Codec;

/// <summary>
/// DISCONNECT or AUTH (MQTT-3.14, MQTT-3.15). Layout (5.0): reason code unless the body is empty, properties unless it is one byte.
/// </summary>
internal readonly ref struct ReasonView
{
    private ReasonView(MqttReasonCode reason, PropertyBlock properties)
    {
        Reason = reason;
        Properties = properties;
    }

    internal MqttReasonCode Reason { get; }

    internal PropertyBlock Properties { get; }

    internal static ReasonView Read(in MqttFrame frame, MqttVersion version, bool fromClient)
    {
        var fields = new FieldReader(frame.Body);
        if (version != MqttVersion.V500)
        {
            if (frame.Type == MqttPacketType.Auth)
            {
                MqttProtocolException.ThrowMalformed("AUTH does not exist before MQTT 5.0");
            }

            fields.ExpectEnd();
            return new ReasonView(MqttReasonCode.Success, default);
        }

        if (fields.IsAtEnd)
        {
            return new ReasonView(MqttReasonCode.Success, default);
        }

        var reason = fields.ReadByte();
        var allowed = frame.Type == MqttPacketType.Disconnect && fromClient
            ? ReasonCodes.IsAllowedInClientDisconnect(reason)
            : ReasonCodes.IsAllowed(frame.Type, reason);
        if (!allowed)
        {
            MqttProtocolException.ThrowProtocolError($"reason code 0x{reason:X2} may not stand in {frame.Type}");
        }

        var properties = fields.IsAtEnd ? default : fields.ReadProperties(frame.Type);
        fields.ExpectEnd();
        if (fromClient && frame.Type == MqttPacketType.Disconnect)
        {
            ExpectNoServerReference(properties);
        }

        return new ReasonView((MqttReasonCode)reason, properties);
    }

    /// <summary>Only a server sends a client elsewhere (MQTT5-3.14.2.2.5).</summary>
    private static void ExpectNoServerReference(PropertyBlock properties)
    {
        for (var property = properties.Read(); property.MoveNext();)
        {
            if (property.Id == PropertyId.ServerReference)
            {
                MqttProtocolException.ThrowProtocolError("Server Reference in a DISCONNECT from a client");
            }
        }
    }
}
