using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Local;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>
/// What the broker knows of one client (MQTT-4.1): subscriptions, messages in flight and waiting, QoS 2 ids received. It is touched
/// under its own lock; no other session's lock is ever taken inside.
/// </summary>
internal sealed partial class Session(string clientId, MqttBrokerLimits limits, BrokerCounters counters) : ICrowdedReceiver
{
    private readonly Lock _gate = new();
    private Dictionary<byte[], Subscription>? _subscriptions;
    private InFlightRing? _inFlight;
    private Queue<Delivery>? _waiting;
    private HashSet<ushort>? _received;
    private long _waitingBytes;
    private bool _isDiscarded;
    private BrokerConnection? _connection;
    private BrokerConnection? _owner;

    internal string ClientId { get; } = clientId;

    /// <summary>The user that the session belongs to; null for an anonymous one.</summary>
    internal string? UserName { get; init; }

    /// <summary>What the session may receive; null for everything. Written under the broker's connect lock.</summary>
    internal Permissions? Permissions { get; set; }

    /// <summary>The in-process client whose session this is; null for clients with a connection.</summary>
    internal LocalClient? Local { get; init; }

    /// <summary>Seconds that the session outlives its connection; 0 ends it with the connection.</summary>
    internal uint ExpirySeconds { get; set; }

    /// <summary>Broker's clock at which a session without a connection ends; guarded by the broker's connect lock.</summary>
    internal long? EndsAt { get; set; }

    /// <summary>A will that waits for its delay, and when it is due; guarded by the broker's connect lock.</summary>
    internal (Will Will, long DueAt)? DelayedWill { get; private set; }

    /// <summary>
    /// The connection that the last CONNECT made, attached or about to be; written under the broker's connect lock, so that of two
    /// racing CONNECTs one wins.
    /// </summary>
    internal BrokerConnection? Owner
    {
        get => Volatile.Read(ref _owner);
        set => Volatile.Write(ref _owner, value);
    }

    internal BrokerConnection? Connection => Volatile.Read(ref _connection);

    internal bool IsReadyForShare => Local is not null || (Connection is not null && (_waiting?.Count ?? 0) == 0);

    internal int Waiting => _waiting?.Count ?? 0;

    internal IReadOnlyCollection<Subscription> Subscriptions
    {
        get
        {
            lock (_gate)
            {
                return _subscriptions is null ? [] : [.. _subscriptions.Values];
            }
        }
    }

    /// <summary>Attaches a connection after CONNACK: resends what is unacknowledged, then what waited (MQTT-4.4.0-1).</summary>
    internal void Attach(BrokerConnection connection)
    {
        lock (_gate)
        {
            if (Owner != connection)
            {
                return;
            }

            _connection = connection;
            BeginResend_NeedsLock(connection);
            SendWaiting_NeedsLock();
            if (_retained is { Count: > 0 })
            {
                connection.ResumeRetained(this);
            }
        }
    }

    /// <summary>Nothing is sent to the former connection any more.</summary>
    internal void Detach()
    {
        lock (_gate)
        {
            _connection = null;
            _hold?.Release();
        }
    }

    internal Subscription? FindSubscription(byte[] key)
    {
        lock (_gate)
        {
            return _subscriptions?.GetValueOrDefault(key);
        }
    }

    /// <summary>False when the session has all the subscriptions it may have.</summary>
    internal bool TryKeep(Subscription subscription)
    {
        lock (_gate)
        {
            _subscriptions ??= new Dictionary<byte[], Subscription>(1, Utf8Comparer.Instance);
            if (Local is null && _subscriptions.Count >= limits.SubscriptionsPerSession && !_subscriptions.ContainsKey(subscription.Key))
            {
                return false;
            }

            Journal_NeedsLock()?.Subscribed(Number, subscription);
            _subscriptions[subscription.Key] = subscription;
            return true;
        }
    }

    internal void Forget(Subscription subscription)
    {
        lock (_gate)
        {
            Journal_NeedsLock()?.Unsubscribed(Number, subscription.Key);
            _subscriptions?.Remove(subscription.Key);
            CancelRetained_NeedsLock(subscription.Key);
        }
    }

    /// <summary>Sends, queues or drops one message.</summary>
    internal void Deliver(in Delivery delivery)
    {
        if (Local is { } local)
        {
            local.Accept(delivery);
            return;
        }

        lock (_gate)
        {
            var connection = _connection;
            if (delivery.QualityOfService == QualityOfService.AtMostOnce)
            {
                if (connection is null)
                {
                    return;
                }

                if (connection.UnsentBytes > limits.OutboundBufferBytes && !connection.MakesRoom())
                {
                    counters.DroppedSlow();
                    return;
                }

                connection.WritePublish(delivery, packetId: 0, duplicate: false);
                return;
            }

            if (connection is not null && Waiting == 0 && MayGo_NeedsLock(connection))
            {
                // A message that the client could not take counts as delivered (MQTT-3.1.2-25).
                if (!connection.Accepts(delivery))
                {
                    counters.DroppedTooLarge();
                    return;
                }

                var journal = Journal_NeedsLock();
                var id = Add_NeedsLock(delivery);
                journal?.Sent(Number, id, delivery);
                Send_NeedsLock(connection, id, delivery);
                return;
            }

            Wait_NeedsLock(delivery);
        }
    }

    /// <summary>PUBACK, or PUBREC with a failure: the id is free and the next message may go.</summary>
    internal void Acknowledged(ushort id, MqttPacketType packet)
    {
        lock (_gate)
        {
            switch (_inFlight?.StageOf(id) ?? InFlightStage.Free)
            {
                case InFlightStage.AwaitingPubAck when packet == MqttPacketType.PubAck:
                case InFlightStage.AwaitingPubRec when packet == MqttPacketType.PubRec:
                    Journal_NeedsLock()?.Done(Number, id);
                    _inFlight!.Remove(id);
                    SendWaiting_NeedsLock();
                    break;
                case InFlightStage.AwaitingPubRec or InFlightStage.AwaitingPubComp when packet == MqttPacketType.PubAck:
                    MqttProtocolException.ThrowProtocolError($"PUBACK for packet {id}, which is QoS 2");
                    break;
            }
        }
    }

    /// <summary>PUBREC: answers PUBREL, again if asked again; an unknown id is answered too (MQTT-4.3.3).</summary>
    internal void Received(ushort id, BrokerConnection connection)
    {
        lock (_gate)
        {
            var stage = _inFlight?.StageOf(id) ?? InFlightStage.Free;
            if (stage == InFlightStage.AwaitingPubAck)
            {
                MqttProtocolException.ThrowProtocolError($"PUBREC for packet {id}, which is QoS 1");
            }

            if (stage == InFlightStage.AwaitingPubRec)
            {
                Journal_NeedsLock()?.Released(Number, id);
                _inFlight!.AwaitPubComp(id);
            }

            // Once PUBREL has left, the client forgets the id: after a restart it must not get the message again.
            HoldOutput_NeedsLock(connection);
            connection.WriteAck(
                MqttPacketType.PubRel, id,
                stage == InFlightStage.Free ? MqttReasonCode.PacketIdentifierNotFound : MqttReasonCode.Success);
        }
    }

    internal void Completed(ushort id)
    {
        lock (_gate)
        {
            switch (_inFlight?.StageOf(id) ?? InFlightStage.Free)
            {
                case InFlightStage.AwaitingPubComp:
                    Journal_NeedsLock()?.Done(Number, id);
                    _inFlight!.Remove(id);
                    SendWaiting_NeedsLock();
                    break;
                case InFlightStage.AwaitingPubAck or InFlightStage.AwaitingPubRec:
                    MqttProtocolException.ThrowProtocolError($"PUBCOMP for packet {id}, whose PUBREL was not sent");
                    break;
            }
        }
    }

    /// <summary>Whether an incoming QoS 2 message came before and was not released.</summary>
    internal bool HasReceived(ushort id)
    {
        lock (_gate)
        {
            return _received is not null && _received.Contains(id);
        }
    }

    /// <summary>
    /// Records an incoming QoS 2 message that is about to be routed. The journal keeps the message with the id: if the process dies
    /// before it is in every session, routing is completed at the next start, and the client's repetition is not routed again.
    /// </summary>
    internal void Receive(ushort id, RoutedMessage message)
    {
        lock (_gate)
        {
            _received ??= [];
            if (_received.Count >= limits.InboundReceiveMaximum)
            {
                MqttProtocolException.Throw(
                    MqttReasonCode.ReceiveMaximumExceeded, $"more than {limits.InboundReceiveMaximum} QoS 2 messages without PUBREL");
            }

            Journal_NeedsLock()?.Received(Number, id, message);
            _received.Add(id);
        }
    }

    /// <summary>The message is in every session that gets it.</summary>
    internal void Routed(ushort id)
    {
        lock (_gate)
        {
            Journal_NeedsLock()?.Routed(Number, id);
        }
    }

    internal bool TryRelease(ushort id)
    {
        lock (_gate)
        {
            if (_received is null || !_received.Contains(id))
            {
                return false;
            }

            Journal_NeedsLock()?.Forgotten(Number, id);
            return _received.Remove(id);
        }
    }

    private ushort Add_NeedsLock(in Delivery delivery) => (_inFlight ??= new InFlightRing()).Add(delivery);

    private void Send_NeedsLock(BrokerConnection connection, ushort id, in Delivery delivery)
    {
        if (delivery.QualityOfService == QualityOfService.ExactlyOnce)
        {
            // Without its id in the journal it would come again with another one.
            HoldOutput_NeedsLock(connection);
        }

        connection.WritePublish(delivery, id, duplicate: false);
    }
}
