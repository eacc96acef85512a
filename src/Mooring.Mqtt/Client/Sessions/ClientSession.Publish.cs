using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>Outgoing messages (MQTT-4.3).</summary>
internal sealed partial class ClientSession
{
    internal void Add(PendingPublish pending)
    {
        lock (_gate)
        {
            ThrowIfStopped();
            _queue.Add(pending);
            _connection?.Wake();
        }
    }

    /// <summary>Its publisher gave up: it is taken back unless it has been sent, or was to be queued and is.</summary>
    internal void Withdraw(PendingPublish pending)
    {
        lock (_gate)
        {
            if (pending.IsCompleted || !_queue.TryRemove(pending)) return;
            pending.LetGo();
            SignalIfDrained();
        }
    }

    internal void OnPubAck(ushort id, MqttReasonCode reason, string? text)
    {
        lock (_gate)
        {
            switch (_inFlight.StageOf(id))
            {
                case InFlightStage.Free:
                    return;
                case InFlightStage.PubAck:
                    Complete(id, reason, text);
                    return;
                default:
                    MqttProtocolException.ThrowProtocolError($"PUBACK for packet {id}, which is not a PUBLISH of QoS 1");
                    return;
            }
        }
    }

    internal void OnPubRec(ushort id, MqttReasonCode reason, string? text)
    {
        lock (_gate)
        {
            switch (_inFlight.StageOf(id))
            {
                case InFlightStage.PubRec when reason.IsFailure():
                    Complete(id, reason, text);
                    return;
                case InFlightStage.PubRec:
                    _inFlight.AwaitPubComp(id);
                    // From here on only PUBREL is repeated (MQTT-4.3.3-5).
                    _inFlight.ItemOf<PendingPublish>(id).DropPayload();
                    WritePubRel(id, MqttReasonCode.Success);
                    return;
                case InFlightStage.PubComp:
                    WritePubRel(id, MqttReasonCode.Success);
                    return;
                case InFlightStage.Free:
                    WritePubRel(id, MqttReasonCode.PacketIdentifierNotFound);
                    return;
                default:
                    MqttProtocolException.ThrowProtocolError($"PUBREC for packet {id}, which is not a PUBLISH of QoS 2");
                    return;
            }
        }
    }

    internal void OnPubComp(ushort id)
    {
        lock (_gate)
        {
            switch (_inFlight.StageOf(id))
            {
                case InFlightStage.Free:
                    return;
                case InFlightStage.PubComp:
                    Complete(id, MqttReasonCode.Success, null);
                    return;
                default:
                    MqttProtocolException.ThrowProtocolError($"PUBCOMP for packet {id}, which was not released");
                    return;
            }
        }
    }

    private void WritePubRel(ushort id, MqttReasonCode reason)
    {
        if (_connection is not { IsClosing: false } connection) return;
        MqttPackets.WriteAck(connection.ControlPackets, MqttPacketType.PubRel, _options.Version, id, reason);
        connection.Wake();
    }

    private void Complete(ushort id, MqttReasonCode reason, string? text)
    {
        var pending = _inFlight.ItemOf<PendingPublish>(id);
        _inFlight.Remove(id);
        _quota = Math.Min(_quota + 1, _quotaMaximum);
        if (pending.QualityOfService == QualityOfService.ExactlyOnce)
        {
            _exactlyOnceQuota = Math.Min(_exactlyOnceQuota + 1, _exactlyOnceQuotaMaximum);
        }
        Finish(pending, reason.IsFailure() ? Refusals.Of($"a message of '{pending.TopicText}'", reason, text) : null);
        if (!_queue.IsEmpty || _resend.Count > 0) _connection?.Wake();
        SignalIfDrained();
    }

    /// <summary>Encodes a message that has its turn; one that this broker does not take is refused here, since it would end the connection.</summary>
    private void Write(PendingPublish pending, OutputBuffer output)
    {
        if (RefusalOf(pending) is { } reason)
        {
            Refuse(pending, reason);
            return;
        }
        if (pending.QualityOfService == QualityOfService.AtMostOnce)
        {
            WritePublish(pending, 0, pending.Flags, mayUseAlias: true, output);
            Finish(pending, null);
            return;
        }
        var stage = pending.QualityOfService == QualityOfService.AtLeastOnce ? InFlightStage.PubAck : InFlightStage.PubRec;
        var id = _inFlight.Add(stage, pending);
        Spend(pending);
        WritePublish(pending, id, pending.Flags, mayUseAlias: true, output);
    }

    private void Spend(PendingPublish pending)
    {
        _quota--;
        if (pending.QualityOfService == QualityOfService.ExactlyOnce) _exactlyOnceQuota--;
    }

    private void Refuse(PendingPublish pending, MqttReasonCode reason) =>
        Finish(pending, Refusals.Of($"a message of '{pending.TopicText}'", reason, null));

    private MqttReasonCode? RefusalOf(PendingPublish pending)
    {
        var server = _connection!.Server;
        if (pending.QualityOfService > server.MaximumQualityOfService) return MqttReasonCode.QoSNotSupported;
        if (pending.Retain && !server.TakesRetained) return MqttReasonCode.RetainNotSupported;
        return Fits(pending, pending.Properties.Length) ? null : MqttReasonCode.PacketTooLarge;
    }

    private bool Fits(PendingPublish pending, int propertyLength)
    {
        var length = MqttPackets.PublishLength(
            _options.Version, pending.Topic.Length, pending.QualityOfService, propertyLength, pending.Payload.Length, out var body);
        return (uint)length <= _connection!.Server.MaximumPacketBytes && body <= VariableByteInteger.Maximum;
    }

    private void WritePublish(PendingPublish pending, ushort id, byte flags, bool mayUseAlias, OutputBuffer output)
    {
        var aliases = _connection!.OutboundAliases;
        if (mayUseAlias && aliases is not null && Fits(pending, pending.Properties.Length + Connections.OutboundAliases.AliasBytes)
            && aliases.TryUse(pending, out var properties, out var topicIsKnown))
        {
            MqttPackets.WritePublish(output, _options.Version, flags, topicIsKnown ? default : pending.Topic, id, properties, pending.Payload);
            return;
        }
        MqttPackets.WritePublish(output, _options.Version, flags, pending.Topic, id, pending.Properties, pending.Payload);
    }

    /// <summary>The broker has kept the session: everything unacknowledged goes out again in the original order (MQTT-4.4.0-1).</summary>
    private void Resume()
    {
        foreach (var (id, stage, item) in _inFlight.InOrder())
        {
            var refusal = stage is InFlightStage.PubAck or InFlightStage.PubRec ? RefusalOf((PendingPublish)item) : null;
            if (item is PendingPublish pending && refusal is null)
            {
                _resend.Enqueue(id);
                continue;
            }
            _inFlight.Remove(id);
            if (refusal is { } reason) Refuse((PendingPublish)item, reason);
        }
    }

    /// <summary>
    /// The broker has no session, so identifiers mean nothing any more. QoS 1 goes back to the queue. A QoS 2 message that was not
    /// received for certain may or may not have arrived: sending it again could deliver it twice, so its publisher decides.
    /// </summary>
    private void StartOver()
    {
        var (repeated, inDoubt) = (0, 0);
        var inFlight = _inFlight.InOrder();
        for (var i = inFlight.Count - 1; i >= 0; i--)
        {
            var (id, stage, item) = inFlight[i];
            _inFlight.Remove(id);
            if (item is not PendingPublish pending) continue;
            switch (stage)
            {
                case InFlightStage.PubAck:
                    _queue.PutBack(pending);
                    repeated++;
                    break;
                case InFlightStage.PubRec:
                    Finish(pending, new MqttInDoubtException(pending.TopicText));
                    inDoubt++;
                    break;
                default:
                    Finish(pending, null);
                    break;
            }
        }
        ForgetReceived();
        if (repeated + inDoubt > 0) _log.SessionLost(repeated, inDoubt);
    }

    private void WriteResent(OutputBuffer output)
    {
        // Repeats count against the new connection's quota as well (MQTT-4.9.0-1).
        while (_quota > 0 && output.Length < BatchBytes && _resend.TryDequeue(out var id))
        {
            var stage = _inFlight.StageOf(id);
            if (stage == InFlightStage.Free) continue;
            var pending = _inFlight.ItemOf<PendingPublish>(id);
            Spend(pending);
            if (stage == InFlightStage.PubComp)
            {
                MqttPackets.WriteAck(output, MqttPacketType.PubRel, _options.Version, id);
                continue;
            }
            WritePublish(pending, id, (byte)(pending.Flags | 0x08), mayUseAlias: false, output);
        }
    }
}
