namespace Mooring.Mqtt.Codec;

/// <summary>PINGREQ and PINGRESP (MQTT-3.12, MQTT-3.13) have no body.</summary>
internal static class EmptyPacket
{
    internal static void Read(in MqttFrame frame)
    {
        if (!frame.Body.IsEmpty)
        {
            MqttProtocolException.ThrowMalformed($"{frame.Type} with a body");
        }
    }
}
