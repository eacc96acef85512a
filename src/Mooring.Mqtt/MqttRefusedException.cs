namespace Mooring.Mqtt;

/// <summary>The broker answered a request with a failure code.</summary>
/// <param name="reasonCode">The code: an MQTT 5.0 reason code; 3.1.1 return codes are mapped to their 5.0 equals.</param>
/// <param name="message">What was refused and why, for an operator.</param>
public sealed class MqttRefusedException(byte reasonCode, string message) : Exception(message)
{
    /// <summary>MQTT 5.0 reason code, 0x80 or above.</summary>
    public byte ReasonCode { get; } = reasonCode;
}
