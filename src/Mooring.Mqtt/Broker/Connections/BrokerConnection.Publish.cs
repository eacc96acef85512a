using System.Buffers;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tracing;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>What a PUBLISH of a connected client does.</summary>
internal sealed partial class BrokerConnection
{
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

        var sent = MqttTracing.IsOn ? MqttTracing.Read(publish.Properties) : null;
        using var span = MqttTracing.BeginReceipt(topic, session.ClientId, qos, publish.Payload.Length, sent);
        var reason = allowed;
        if (allowed != MqttReasonCode.Success)
        {
            broker.Counters.DroppedNotAllowed();
        }
        else
        {
            long? expiresAt = expirySeconds is { } seconds ? broker.Now + (seconds * 1000L) : null;
            var properties = Forwardable(publish.Properties);
            if (sent is null && span.Context is { } place) properties = MqttTracing.Append(properties, place);
            var message = qos == QualityOfService.AtMostOnce && !publish.Retain
                ? RoutedMessage.Borrow(topic, publish.Payload, properties, expiresAt, session)
                : RoutedMessage.Create(topic, publish.Payload, qos, publish.Retain, properties, expiresAt, session);
            message.Trace = span.Context;
            reason = Publish(message, topic, publish.PacketId, session);
        }

        if (reason.IsFailure()) span.Fail(reason.ToString());

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
        if (_crowded is { } receiver)
        {
            HoldFor(receiver);
        }

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
}
