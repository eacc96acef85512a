using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>One filter of one session.</summary>
/// <param name="Session">Who receives.</param>
/// <param name="Key">The filter as the client wrote it, share prefix included: what UNSUBSCRIBE compares.</param>
/// <param name="Filter">The filter that topics are matched with.</param>
/// <param name="ShareName">Name of the share; empty for an ordinary subscription.</param>
/// <param name="Options">Options byte of SUBSCRIBE (MQTT-3.8.3.1).</param>
/// <param name="Identifier">Subscription Identifier; 0 for none.</param>
internal sealed record Subscription(
    Session Session, byte[] Key, byte[] Filter, byte[] ShareName, byte Options, uint Identifier)
{
    internal QualityOfService MaximumQualityOfService => (QualityOfService)(Options & 0x03);

    internal bool NoLocal => (Options & 0x04) != 0;

    internal bool RetainAsPublished => (Options & 0x08) != 0;

    /// <summary>Whether it has wildcards.</summary>
    internal bool IsPattern { get; } = TopicFilter.HasWildcards(Filter);

    /// <summary>Delivers a retained message, unless it is the subscriber's own and not wanted, or must not be seen.</summary>
    internal void GiveRetained(RoutedMessage message, Action<Delivery> deliver)
    {
        if ((NoLocal && ReferenceEquals(message.Publisher, Session)) || Session.Permissions?.MayReceive(message.Topic) == false)
        {
            return;
        }

        var qos = message.QualityOfService < MaximumQualityOfService ? message.QualityOfService : MaximumQualityOfService;
        deliver(new Delivery(message, qos, Retain: true, Target.Of(this).Identifiers));
    }
}
