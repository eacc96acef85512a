using Mooring.Mqtt.Client.Connections;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>Incoming messages. They are acknowledged when their handlers are done, so a crash in between costs no message.</summary>
internal sealed partial class ClientSession
{
    /// <summary>QoS 2 identifiers received and not released, with whether the handlers are done. Bounded by the 16 bits of an identifier.</summary>
    private readonly Dictionary<ushort, bool> _received = [];

    private int _sessionNumber;

    /// <summary>
    /// Notes a PUBLISH; true when it is to be handed to the handlers, false for the repetition of a QoS 2 message (MQTT-4.3.3-10).
    /// </summary>
    internal bool TryReceive(ClientConnection connection, QualityOfService qos, ushort id, out int sessionNumber)
    {
        sessionNumber = 0;
        if (qos == QualityOfService.AtMostOnce) return true;
        lock (_gate)
        {
            sessionNumber = _sessionNumber;
            if (qos == QualityOfService.ExactlyOnce && !_received.TryAdd(id, false))
            {
                if (_received[id]) WriteAck(connection, MqttPacketType.PubRec, id, MqttReasonCode.Success);
                return false;
            }
            if (qos == QualityOfService.AtLeastOnce) connection.UnacknowledgedInbound++;
            var open = connection.UnacknowledgedInbound + _received.Count;
            if (_options.Version == MqttVersion.V500 && open > _options.Limits.ReceiveMaximum)
            {
                MqttProtocolException.Throw(
                    MqttReasonCode.ReceiveMaximumExceeded, $"{open} messages without acknowledgement; {_options.Limits.ReceiveMaximum} are allowed");
            }
            return true;
        }
    }

    /// <summary>The handlers are done: acknowledges, unless the connection or the session has gone. The caller wakes the sender.</summary>
    internal void Handled(in Inbound inbound)
    {
        if (inbound.PacketId == 0) return;
        lock (_gate)
        {
            if (inbound.Message.QualityOfService == QualityOfService.AtLeastOnce)
            {
                inbound.Connection.UnacknowledgedInbound--;
                if (inbound.Connection == _connection) AppendAck(inbound.Connection, MqttPacketType.PubAck, inbound.PacketId);
                return;
            }
            if (inbound.SessionNumber != _sessionNumber || !_received.ContainsKey(inbound.PacketId)) return;
            _received[inbound.PacketId] = true;
            // After a reconnect the broker repeats the PUBLISH and gets its PUBREC then, or now.
            if (_connection is { } connection) AppendAck(connection, MqttPacketType.PubRec, inbound.PacketId);
        }
    }

    /// <summary>Has what <see cref="Handled"/> appended sent.</summary>
    internal void FlushAcks()
    {
        lock (_gate)
        {
            if (_connection is { ControlPackets.Length: > 0 } connection) connection.Wake();
        }
    }

    internal void OnPubRel(ClientConnection connection, ushort id)
    {
        lock (_gate)
        {
            var known = _received.Remove(id);
            WriteAck(connection, MqttPacketType.PubComp, id, known ? MqttReasonCode.Success : MqttReasonCode.PacketIdentifierNotFound);
        }
    }

    private void AppendAck(ClientConnection connection, MqttPacketType type, ushort id)
    {
        if (!connection.IsClosing) MqttPackets.WriteAck(connection.ControlPackets, type, _options.Version, id);
    }

    private void WriteAck(ClientConnection connection, MqttPacketType type, ushort id, MqttReasonCode reason)
    {
        if (connection.IsClosing) return;
        MqttPackets.WriteAck(connection.ControlPackets, type, _options.Version, id, reason);
        connection.Wake();
    }

    private void ForgetReceived()
    {
        _received.Clear();
        _sessionNumber++;
    }
}
