using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>What each packet of a connected client does.</summary>
internal sealed partial class BrokerConnection
{
    private void Handle(in MqttFrame frame)
    {
        if (_session is null)
        {
            Connect(frame);
            return;
        }

        switch (frame.Type)
        {
            case MqttPacketType.Publish:
                Publish(PublishView.Read(frame, Version, _lastTopic), _session);
                break;
            case MqttPacketType.PubAck:
                _session.Acknowledged(AckView.Read(frame, Version).PacketId, MqttPacketType.PubAck);
                break;
            case MqttPacketType.PubRec:
                PubRec(AckView.Read(frame, Version), _session);
                break;
            case MqttPacketType.PubRel:
                PubRel(AckView.Read(frame, Version), _session);
                break;
            case MqttPacketType.PubComp:
                _session.Completed(AckView.Read(frame, Version).PacketId);
                break;
            case MqttPacketType.Subscribe:
                Subscribe(SubscribeView.Read(frame, Version), _session);
                break;
            case MqttPacketType.Unsubscribe:
                Unsubscribe(UnsubscribeView.Read(frame, Version), _session);
                break;
            case MqttPacketType.PingReq:
                EmptyPacket.Read(frame);
                output.Write(MqttPackets.PingResp);
                break;
            case MqttPacketType.Disconnect:
                Disconnect(ReasonView.Read(frame, Version, fromClient: true), _session);
                break;
            default:
                // A second CONNECT, a server's packet, AUTH without a method (MQTT-3.1.0-2, MQTT-4.12.0-7).
                MqttProtocolException.ThrowProtocolError($"{frame.Type} from a connected client");
                break;
        }
    }

    private void HoldOutputFor(Session session)
    {
        if (session.IsDurable && broker.Journal is { } journal)
        {
            HoldOutput(journal);
        }
    }

    private void ExpectText(ReadOnlySpan<byte> topicOrFilter)
    {
        if (!IsText(topicOrFilter))
        {
            MqttProtocolException.ThrowMalformed("a topic with control characters");
        }
    }

    private bool IsText(ReadOnlySpan<byte> text) => broker.Options.ControlCharacters || !Utf8Text.HasDiscouragedCharacters(text);

    private void PubRec(in AckView ack, Session session)
    {
        if (ack.Reason.IsFailure())
        {
            session.Acknowledged(ack.PacketId, MqttPacketType.PubRec);
        }
        else
        {
            session.Received(ack.PacketId, this);
        }
    }

    private void PubRel(in AckView ack, Session session)
    {
        var known = session.TryRelease(ack.PacketId);
        // Were the id not forgotten for good, the next message with it would be taken for a repetition.
        HoldOutputFor(session);
        WriteAck(MqttPacketType.PubComp, ack.PacketId, known ? MqttReasonCode.Success : MqttReasonCode.PacketIdentifierNotFound);
    }

    private void Subscribe(in SubscribeView view, Session session)
    {
        var identifier = 0u;
        for (var properties = view.Properties.Read(); properties.MoveNext();)
        {
            if (properties.Id == PropertyId.SubscriptionIdentifier)
            {
                identifier = properties.Number;
            }
        }

        var codes = new List<byte>();
        var retained = new List<(Subscription Subscription, bool IsNew, RetainHandling Handling)>();
        foreach (var request in view)
        {
            CheckFilters(codes.Count);
            codes.Add((byte)Subscribe(request, identifier, session, retained));
        }

        HoldOutputFor(session);
        var scratch = Scratch();
        MqttPackets.WriteCodes(scratch, MqttPacketType.SubAck, Version, view.PacketId, codes.ToArray());
        Write(scratch);
        foreach (var (subscription, isNew, handling) in retained)
        {
            if (handling == RetainHandling.SendAtSubscribe || (handling == RetainHandling.SendIfNew && isNew))
            {
                broker.SendRetained(subscription);
            }
        }
    }

    private MqttReasonCode Subscribe(
        SubscriptionRequest request, uint identifier, Session session,
        List<(Subscription Subscription, bool IsNew, RetainHandling Handling)> retained)
    {
        ExpectText(request.Filter);
        TopicFilter.TrySplitShare(request.Filter, out var share, out var filter);
        if (filter.Length > _limits.TopicBytes || TopicName.CountLevels(filter) > _limits.TopicLevels)
        {
            return Failure(MqttReasonCode.TopicFilterInvalid);
        }

        if (Permissions?.MaySubscribe(filter) == false)
        {
            return Failure(MqttReasonCode.NotAuthorized);
        }

        var key = request.Filter.ToArray();
        var subscription = new Subscription(session, key, share.IsEmpty ? key : filter.ToArray(), share.ToArray(), request.Options, identifier);
        var former = session.FindSubscription(key);
        if ((former is null && broker.Subscriptions.Count >= _limits.Subscriptions) || !session.TryKeep(subscription))
        {
            return Failure(MqttReasonCode.QuotaExceeded);
        }

        broker.Subscriptions.Set(subscription, former);
        // The snapshot of retained messages is taken once the subscription is active, so that none falls in between.
        if (share.IsEmpty)
        {
            retained.Add((subscription, former is null, request.RetainHandling));
        }

        return (MqttReasonCode)request.MaximumQualityOfService;
    }

    private void CheckFilters(int count)
    {
        if (count >= _limits.FiltersPerPacket)
        {
            MqttProtocolException.Throw(MqttReasonCode.QuotaExceeded, $"more than {_limits.FiltersPerPacket} filters in one packet");
        }
    }

    /// <summary>3.1.1 knows one failure code, 0x80 (MQTT-3.9.3-2).</summary>
    private MqttReasonCode Failure(MqttReasonCode reason) =>
        Version == MqttVersion.V500 ? reason : MqttReasonCode.UnspecifiedError;

    private void Unsubscribe(in UnsubscribeView view, Session session)
    {
        var codes = new List<byte>();
        foreach (var filter in view)
        {
            CheckFilters(codes.Count);
            ExpectText(filter);
            var subscription = session.FindSubscription(filter.ToArray());
            if (subscription is not null)
            {
                session.Forget(subscription);
                broker.Subscriptions.Remove(subscription);
            }

            codes.Add((byte)(subscription is null ? MqttReasonCode.NoSubscriptionExisted : MqttReasonCode.Success));
        }

        HoldOutputFor(session);
        var scratch = Scratch();
        MqttPackets.WriteCodes(scratch, MqttPacketType.UnsubAck, Version, view.PacketId, codes.ToArray());
        Write(scratch);
    }

    private void Disconnect(in ReasonView view, Session session)
    {
        for (var properties = view.Properties.Read(); properties.MoveNext();)
        {
            if (properties.Id == PropertyId.SessionExpiryInterval)
            {
                // A session that was to end with the connection cannot be prolonged now (MQTT-3.14.2.2.2).
                if (session.ExpirySeconds == 0 && properties.Number != 0)
                {
                    MqttProtocolException.ThrowProtocolError("DISCONNECT prolongs a session that has no expiry");
                }

                session.ExpirySeconds = broker.CapExpiry(properties.Number);
            }
        }

        if (view.Reason != MqttReasonCode.DisconnectWithWill)
        {
            _will = null;
        }

        _isOver = true;
        Leave();
        output.Close();
    }
}
