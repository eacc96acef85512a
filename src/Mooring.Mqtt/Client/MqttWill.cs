namespace Mooring.Mqtt.Client;

/// <summary>What the broker publishes when the connection ends without DISCONNECT.</summary>
/// <param name="Message">The message.</param>
public sealed record MqttWill(MqttMessage Message)
{
    /// <summary>MQTT 5.0: the broker waits this long, and says nothing if the client is back in time. Whole seconds; default none.</summary>
    public TimeSpan Delay { get; init; }
}
