using Mooring.Kernel.Tracing;

namespace Mooring.Mqtt;

/// <summary>
/// An application message. The properties below <see cref="Retain"/> exist in MQTT 5.0 only and are left out on
/// a 3.1.1 connection.
/// </summary>
public sealed record MqttMessage
{
    /// <summary>Topic name: 1 to 65,535 bytes of UTF-8 without wildcards.</summary>
    public required string Topic { get; init; }

    /// <summary>Application payload; may be empty. In a received message it is valid until the handler's task completes.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Delivery guarantee; QoS 0 unless set.</summary>
    public QualityOfService QualityOfService { get; init; }

    /// <summary>Ask the broker to keep the message for later subscribers; on receipt, whether it came from its store.</summary>
    public bool Retain { get; init; }

    /// <summary>On receipt: this may be a repeated delivery (MQTT-3.3.1-1).</summary>
    public bool Duplicate { get; init; }

    /// <summary>Property 0x02: seconds until the broker drops the message; null means never.</summary>
    public uint? MessageExpirySeconds { get; init; }

    /// <summary>Property 0x01: true when the payload is UTF-8 text.</summary>
    public bool PayloadIsUtf8 { get; init; }

    /// <summary>Property 0x03: MIME type of the payload.</summary>
    public string? ContentType { get; init; }

    /// <summary>Property 0x08: where an answer should go.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>Property 0x09: opaque value that an answer repeats.</summary>
    public ReadOnlyMemory<byte> CorrelationData { get; init; }

    /// <summary>Property 0x26: name and value pairs, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>Property 0x0B, on receipt: identifiers of the subscriptions that matched.</summary>
    public IReadOnlyList<uint> SubscriptionIdentifiers { get; init; } = [];

    /// <summary>
    /// The message's place in a trace. A publisher's goes along as user property <c>traceparent</c>, unless there is one already; on
    /// receipt, what handling the message belongs to. Null for none.
    /// </summary>
    public TraceContext? Trace { get; init; }
}
