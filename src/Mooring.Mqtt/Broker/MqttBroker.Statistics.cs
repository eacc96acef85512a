using System.Text;
using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Broker.Statistics;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker;

/// <summary>What is counted, and copies of it for whoever asks.</summary>
public sealed partial class MqttBroker
{
    private readonly Lock _trafficGate = new();
    private Traffic _closedTraffic;
    private Traffic _lastSecond;
    private Traffic _lastTotal;
    private long _accepted;
    private long _sessionsExpired;
    private int _connectionsMost;

    /// <summary>What went over all connections, those that are closed included.</summary>
    internal Traffic TotalTraffic()
    {
        lock (_trafficGate)
        {
            var total = _closedTraffic;
            foreach (var (connection, _) in _connections) total.Add(connection.Traffic);
            return total;
        }
    }

    internal MqttBrokerStatistics TakeStatistics()
    {
        var total = TotalTraffic();
        return new MqttBrokerStatistics
        {
            Uptime = TimeSpan.FromMilliseconds(Now),
            Connections = Connections,
            LocalClients = SnapshotSessions().Count(session => session.Local is not null),
            ConnectionsMost = Volatile.Read(ref _connectionsMost),
            ConnectionsAccepted = Interlocked.Read(ref _accepted),
            Sessions = Sessions,
            SessionsExpired = Volatile.Read(ref _sessionsExpired),
            Subscriptions = SubscriptionCount,
            SharedSubscriptions = Subscriptions.SharedCount,
            RetainedMessages = Retained,
            RetainedBytes = _retained.Bytes,
            PacketsReceived = total.PacketsIn,
            MessagesReceived = total.MessagesIn,
            MessagesSent = total.MessagesOut,
            BytesReceived = total.BytesIn,
            BytesSent = total.BytesOut,
            PayloadBytesReceived = total.PayloadIn,
            PayloadBytesSent = total.PayloadOut,
            Dropped = Counters.DroppedByReason(),
            MessagesReceivedPerSecond = _lastSecond.MessagesIn,
            MessagesSentPerSecond = _lastSecond.MessagesOut,
        };
    }

    internal IReadOnlyList<MqttMessage> RetainedMatching(string filter, int take)
    {
        var key = Encoding.UTF8.GetBytes(filter);
        if (!TopicFilter.IsValid(key)) return [];
        return
        [
            .. _retained.Messages.Where(message => !message.IsExpired(Now) && TopicFilter.Matches(key, message.Topic)).Take(take).Select(message => new MqttMessage
            {
                Topic = Encoding.UTF8.GetString(message.Topic),
                Payload = message.PayloadMemory,
                QualityOfService = message.QualityOfService,
                Retain = true,
            }),
        ];
    }

    internal Session[] SnapshotSessions()
    {
        lock (_connectGate) return [.. _sessions.Values];
    }

    internal Session? FindSession(string clientId)
    {
        lock (_connectGate) return _sessions.GetValueOrDefault(clientId);
    }

    private void Remember(BrokerConnection connection)
    {
        _connections[connection] = true;
        Interlocked.Increment(ref _accepted);
        var count = _connections.Count;
        if (count > Volatile.Read(ref _connectionsMost)) Volatile.Write(ref _connectionsMost, count);
    }

    /// <summary>Its traffic moves to that of the closed ones in one step: totals never go back.</summary>
    private void Forget(BrokerConnection connection)
    {
        lock (_trafficGate)
        {
            if (!_connections.TryRemove(connection, out _)) return;
            _closedTraffic.Add(connection.Traffic);
        }
        _addresses.Leave(connection.RemoteEndPoint);
    }

    private void TickStatistics(long now)
    {
        var total = TotalTraffic();
        _lastSecond = total.Since(_lastTotal);
        _lastTotal = total;
        _system.Step(now);
    }
}
