namespace Mooring.Mqtt;

/// <summary>Protocol level of a connection, as in the CONNECT packet.</summary>
public enum MqttVersion : byte
{
    /// <summary>MQTT 3.1 (protocol name "MQIsdp"); accepted from old clients only.</summary>
    V310 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V500 = 5,
}
