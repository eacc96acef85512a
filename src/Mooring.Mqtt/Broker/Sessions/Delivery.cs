using Mooring.Mqtt.Broker.Routing;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>A message on its way to one session.</summary>
internal readonly record struct Delivery(
    RoutedMessage Message, QualityOfService QualityOfService, bool Retain, uint[] Identifiers)
{
    /// <summary>Whether the shared frame can be sent as it is.</summary>
    internal bool IsPlain(MqttVersion version) =>
        QualityOfService == QualityOfService.AtMostOnce && !Retain
        && (version != MqttVersion.V500 || (Identifiers.Length == 0 && Message.ExpiresAt is null));
}
