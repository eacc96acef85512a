namespace Mooring.Mqtt;

/// <summary>What a client asks for in SUBSCRIBE.</summary>
/// <param name="Filter">Topic filter, with wildcards or a <c>$share/name/</c> prefix where wanted.</param>
/// <param name="MaximumQualityOfService">Highest QoS that the broker may use for deliveries.</param>
public sealed record MqttSubscription(
    string Filter,
    QualityOfService MaximumQualityOfService = QualityOfService.AtLeastOnce)
{
    /// <summary>MQTT 5.0: do not deliver what this client publishes itself.</summary>
    public bool NoLocal { get; init; }

    /// <summary>MQTT 5.0: keep the RETAIN flag as published.</summary>
    public bool RetainAsPublished { get; init; }

    /// <summary>MQTT 5.0: when retained messages are sent.</summary>
    public RetainHandling RetainHandling { get; init; }

    /// <summary>MQTT 5.0 property 0x0B, 1 to 268,435,455; null for none.</summary>
    public uint? Identifier { get; init; }
}

/// <summary>When a subscription receives retained messages (MQTT 5.0, 3.8.3.1).</summary>
public enum RetainHandling : byte
{
    /// <summary>At every SUBSCRIBE.</summary>
    SendAtSubscribe = 0,

    /// <summary>Only if the subscription did not exist before.</summary>
    SendIfNew = 1,

    /// <summary>Never.</summary>
    DoNotSend = 2,
}
