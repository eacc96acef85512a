using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>
/// What was unacknowledged when the former connection ended goes first on the new one, in the order in which it was sent
/// (MQTT-4.4.0-1), and within the new window: the client may take fewer at a time than before (MQTT-3.3.4-9).
/// </summary>
internal sealed partial class Session
{
    private Queue<ushort>? _toResend;

    private bool MustResend => _toResend is { Count: > 0 };

    private void BeginResend_NeedsLock(BrokerConnection connection)
    {
        _toResend = _inFlight is { Count: > 0 } ring ? new Queue<ushort>(ring.InOrder().Select(sent => sent.Id)) : null;
        Resend_NeedsLock(connection);
    }

    private void Resend_NeedsLock(BrokerConnection connection)
    {
        while (_toResend is { Count: > 0 } ids && _inFlight!.Count - ids.Count < connection.OutboundWindow)
        {
            var id = ids.Dequeue();
            var (stage, delivery) = _inFlight.Find(id);
            if (stage == InFlightStage.AwaitingPubComp)
            {
                connection.WriteAck(MqttPacketType.PubRel, id);
            }
            else if (stage != InFlightStage.Free && MayStillSend_NeedsLock(connection, id, delivery))
            {
                connection.WritePublish(delivery, id, duplicate: true);
            }
        }
    }

    /// <summary>Since it was sent first, the rules may have changed, or the client takes smaller packets only.</summary>
    private bool MayStillSend_NeedsLock(BrokerConnection connection, ushort id, in Delivery delivery)
    {
        if (Permissions?.MayReceive(delivery.Message.Topic) == false)
        {
            counters.DroppedNotAllowed();
        }
        else if (!connection.Accepts(delivery))
        {
            counters.DroppedTooLarge();
        }
        else
        {
            return true;
        }

        Journal_NeedsLock()?.Done(Number, id);
        _inFlight!.Remove(id);
        return false;
    }
}
