namespace Mooring.Mqtt.Broker;

/// <summary>What carries MQTT on a listener.</summary>
public enum MqttTransport
{
    /// <summary>Plain TCP.</summary>
    Tcp,

    /// <summary>TLS 1.2 or 1.3.</summary>
    Tls,

    /// <summary>WebSocket over plain HTTP.</summary>
    WebSocket,

    /// <summary>WebSocket over HTTPS.</summary>
    SecureWebSocket,
}
