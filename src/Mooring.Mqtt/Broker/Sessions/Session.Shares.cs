using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>What a member of a share leaves behind when its session ends.</summary>
internal sealed partial class Session
{
    /// <summary>
    /// Messages that only a share brought here and that were not delivered, each with the subscription that it came by: another member may
    /// have them. QoS 2 messages that were sent already stay with this client, which may have got them (MQTT-4.8.2-5).
    /// </summary>
    internal List<(Subscription Share, RoutedMessage Message)> Undelivered()
    {
        lock (_gate)
        {
            var left = new List<(Subscription, RoutedMessage)>();
            if (_subscriptions is null || !_subscriptions.Values.Any(subscription => subscription.ShareName.Length > 0))
            {
                return left;
            }

            var sent = _inFlight?.InOrder().Where(entry => entry.Stage == InFlightStage.AwaitingPubAck).Select(entry => entry.Delivery) ?? [];
            foreach (var delivery in sent.Concat(_waiting ?? []).Where(delivery => !delivery.Retain))
            {
                if (ShareOf_NeedsLock(delivery.Message) is { } share)
                {
                    left.Add((share, delivery.Message));
                }
            }

            return left;
        }
    }

    /// <summary>Null when an ordinary subscription matches, too: then it was for this client alone.</summary>
    private Subscription? ShareOf_NeedsLock(RoutedMessage message)
    {
        Subscription? share = null;
        foreach (var subscription in _subscriptions!.Values)
        {
            if (!TopicFilter.Matches(subscription.Filter, message.Topic))
            {
                continue;
            }

            if (subscription.ShareName.Length == 0)
            {
                return null;
            }

            share = subscription;
        }

        return share;
    }
}
