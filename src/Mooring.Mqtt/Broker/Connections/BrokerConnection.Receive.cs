using System.Buffers;
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

    private void Publish(in PublishView publish, Session session)
    {
        _traffic.MessagesIn++;
        _traffic.PayloadIn += publish.Payload.Length;
        Throttle();
        var topic = ResolveTopic(publish, out var expirySeconds);
        var allowed = MayPublish(topic);
        var qos = publish.QualityOfService;
        if (qos == QualityOfService.ExactlyOnce && session.HasReceived(publish.PacketId))
        {
            HoldOutputFor(session);
            WriteAck(MqttPacketType.PubRec, publish.PacketId);
            return;
        }

        var reason = allowed;
        if (allowed != MqttReasonCode.Success)
        {
            broker.Counters.DroppedNotAllowed();
        }
        else
        {
            long? expiresAt = expirySeconds is { } seconds ? broker.Now + (seconds * 1000L) : null;
            var properties = Forwardable(publish.Properties);
            var message = qos == QualityOfService.AtMostOnce && !publish.Retain
                ? RoutedMessage.Borrow(topic, publish.Payload, properties, expiresAt, session)
                : RoutedMessage.Create(topic, publish.Payload, qos, publish.Retain, properties, expiresAt, session);
            reason = Publish(message, topic, publish.PacketId, session);
        }

        if (qos != QualityOfService.AtMostOnce)
        {
            WriteAck(qos == QualityOfService.AtLeastOnce ? MqttPacketType.PubAck : MqttPacketType.PubRec, publish.PacketId, reason);
        }
    }

    private MqttReasonCode Publish(RoutedMessage message, byte[] topic, ushort packetId, Session session)
    {
        if (broker.CannotKeep(message))
        {
            // 3.1.1 has no answer that refuses: only the end of the connection keeps the client from believing it was stored.
            if (Version != MqttVersion.V500)
            {
                MqttProtocolException.Throw(MqttReasonCode.QuotaExceeded, "a message that must be stored, and nothing can be");
            }

            return MqttReasonCode.QuotaExceeded;
        }

        var isExactlyOnce = message.QualityOfService == QualityOfService.ExactlyOnce;
        if (isExactlyOnce)
        {
            session.Receive(packetId, message);
        }

        var route = broker.Publish(message, ReferenceEquals(_routedTopic, topic) ? _route : null);
        (_routedTopic, _route) = (topic, route);
        if (isExactlyOnce)
        {
            session.Routed(packetId);
        }

        // A retained message that deletes is in the journal without a number of its own.
        if (message.QualityOfService != QualityOfService.AtMostOnce
            && (message.JournalNumber != 0 || message.Retain) && broker.Journal is { } journal)
        {
            HoldOutput(journal);
        }

        if (!route.HasLocal)
        {
            message.Return();
        }

        return route.IsEmpty ? MqttReasonCode.NoMatchingSubscribers : MqttReasonCode.Success;
    }

    private void HoldOutputFor(Session session)
    {
        if (session.IsDurable && broker.Journal is { } journal)
        {
            HoldOutput(journal);
        }
    }

    /// <summary>
    /// Topic, or what the alias stands for (MQTT-3.3.2.3.4); remembers the mapping. As long as the topic is the same, so is the array.
    /// </summary>
    private byte[] ResolveTopic(in PublishView publish, out uint? expirySeconds)
    {
        expirySeconds = null;
        uint? alias = null;
        for (var properties = publish.Properties.Read(); properties.MoveNext();)
        {
            switch (properties.Id)
            {
                case PropertyId.TopicAlias:
                    alias = properties.Number;
                    break;
                case PropertyId.MessageExpiryInterval:
                    expirySeconds = properties.Number;
                    break;
                case PropertyId.SubscriptionIdentifier:
                    MqttProtocolException.ThrowProtocolError("a Subscription Identifier in a PUBLISH from a client");
                    break;
                case PropertyId.ResponseTopic when !TopicName.IsValid(properties.Bytes):
                    MqttProtocolException.ThrowProtocolError("the response topic holds a wildcard");
                    break;
            }
        }

        if (alias is { } number && (number == 0 || number > _limits.InboundTopicAliases))
        {
            MqttProtocolException.Throw(
                MqttReasonCode.TopicAliasInvalid, $"topic alias {number}; 1 to {_limits.InboundTopicAliases} are allowed");
        }

        if (publish.Topic.IsEmpty)
        {
            var known = alias is { } set ? _aliases?[set] : null;
            if (known is null)
            {
                MqttProtocolException.ThrowProtocolError("a PUBLISH without a topic, and no alias that stands for one");
            }

            return known;
        }

        if (!publish.Topic.SequenceEqual(_lastTopic))
        {
            if (!TopicName.IsValid(publish.Topic))
            {
                MqttProtocolException.Throw(MqttReasonCode.TopicNameInvalid, "a topic name with a wildcard");
            }

            ExpectText(publish.Topic);
            _lastTopic = publish.Topic.ToArray();
        }

        if (alias is { } toSet)
        {
            _aliases ??= new byte[_limits.InboundTopicAliases + 1][];
            _aliases[toSet] = _lastTopic;
        }

        return _lastTopic;
    }

    private void ExpectText(ReadOnlySpan<byte> topicOrFilter)
    {
        if (!IsText(topicOrFilter))
        {
            MqttProtocolException.ThrowMalformed("a topic with control characters");
        }
    }

    private bool IsText(ReadOnlySpan<byte> text) => broker.Options.ControlCharacters || !Utf8Text.HasDiscouragedCharacters(text);

    /// <summary>A client that sends more than its share, or anything while memory is short, is not read until the next second.</summary>
    private void Throttle()
    {
        if (!broker.IsShortOfMemory && (_limits.MessagesPerSecond == 0 || ++_publishedThisSecond < _limits.MessagesPerSecond))
        {
            return;
        }

        _isThrottled = true;
        _isPaused = true;
        output.Pause(true);
    }

    private MqttReasonCode CheckTopic(ReadOnlySpan<byte> topic)
    {
        if (topic.Length > _limits.TopicBytes || TopicName.CountLevels(topic) > _limits.TopicLevels)
        {
            return MqttReasonCode.TopicNameInvalid;
        }

        return (TopicName.IsServerOwned(topic) && !TopicName.IsBridgeState(topic)) || Permissions?.MayPublish(topic) == false
            ? MqttReasonCode.NotAuthorized
            : MqttReasonCode.Success;
    }

    /// <summary>As <see cref="CheckTopic"/>; a client that publishes to one topic for ever is judged once.</summary>
    private MqttReasonCode MayPublish(byte[] topic)
    {
        if (!ReferenceEquals(_judgedTopic, topic) || !ReferenceEquals(_judgedBy, Permissions))
        {
            (_judgedTopic, _judgedBy, _verdict) = (topic, Permissions, CheckTopic(topic));
        }

        return _verdict;
    }

    private static byte[]? Forwardable(PropertyBlock properties)
    {
        if (properties.IsEmpty)
        {
            return null;
        }

        var kept = new ArrayBufferWriter<byte>(properties.Raw.Length);
        properties.CopyForwardable(kept);
        return kept.WrittenCount == 0 ? null : kept.WrittenSpan.ToArray();
    }

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
