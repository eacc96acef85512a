namespace Mooring.Mqtt.Codec;

/// <summary>
/// SUBACK or UNSUBACK (MQTT-3.9, MQTT-3.11). Layout: packet identifier, properties (5.0), one code per filter (UNSUBACK of 3.1.1: none).
/// </summary>
internal readonly ref struct CodesView
{
    private CodesView(ushort packetId, PropertyBlock properties, ReadOnlySpan<byte> codes)
    {
        PacketId = packetId;
        Properties = properties;
        Codes = codes;
    }

    internal ushort PacketId { get; }

    internal PropertyBlock Properties { get; }

    internal ReadOnlySpan<byte> Codes { get; }

    internal static CodesView Read(in MqttFrame frame, MqttVersion version)
    {
        var fields = new FieldReader(frame.Body);
        var packetId = fields.ReadPacketId();
        var properties = version == MqttVersion.V500 ? fields.ReadProperties(frame.Type) : default;
        var codes = fields.Rest;
        var empty = version != MqttVersion.V500 && frame.Type == MqttPacketType.UnsubAck;
        if (codes.IsEmpty != empty)
        {
            MqttProtocolException.ThrowMalformed($"{frame.Type} with {codes.Length} codes");
        }

        foreach (var code in codes)
        {
            var allowed = version == MqttVersion.V500 ? ReasonCodes.IsAllowed(frame.Type, code) : code is <= 2 or 0x80;
            if (!allowed)
            {
                MqttProtocolException.ThrowProtocolError($"code 0x{code:X2} may not stand in {frame.Type}");
            }
        }

        return new CodesView(packetId, properties, codes);
    }
}
