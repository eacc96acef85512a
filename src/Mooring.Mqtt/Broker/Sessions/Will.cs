using Mooring.Mqtt.Broker.Routing;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>What is published when a client goes without saying goodbye (MQTT-3.1.2.5).</summary>
/// <param name="Message">The message; its expiry counts from publication.</param>
/// <param name="ExpirySeconds">Message Expiry Interval, if any.</param>
/// <param name="DelaySeconds">Will Delay Interval.</param>
internal sealed record Will(RoutedMessage Message, uint? ExpirySeconds, uint DelaySeconds);
