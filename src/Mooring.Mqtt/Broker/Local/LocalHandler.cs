namespace Mooring.Mqtt.Broker.Local;

/// <summary>A handler of an in-process client.</summary>
/// <param name="Filter">Filter without the share.</param>
/// <param name="Topic">The filter as text when it has no wildcards: every message of it has this topic.</param>
/// <param name="Invoke">What runs.</param>
internal sealed record LocalHandler(byte[] Filter, string? Topic, MqttMessageHandler Invoke);
