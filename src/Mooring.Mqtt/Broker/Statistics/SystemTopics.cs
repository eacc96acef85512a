using System.Globalization;
using System.Text;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Statistics;

/// <summary>
/// The broker's figures as topics below <c>$SYS/broker</c>, with the names that mosquitto uses, so that dashboards made for it work.
/// They are sent when they change, and kept here for new subscribers: as retained messages they would count among the clients' own.
/// </summary>
internal sealed class SystemTopics(MqttBroker broker, TimeSpan period)
{
    private readonly LoadAverage _connections = new();
    private readonly LoadAverage _packetsIn = new();
    private readonly LoadAverage _messagesIn = new();
    private readonly LoadAverage _messagesOut = new();
    private readonly LoadAverage _bytesIn = new();
    private readonly LoadAverage _bytesOut = new();
    private volatile Dictionary<byte[], RoutedMessage> _current = new(Utf8Comparer.Instance);
    private long _last;

    /// <summary>Messages for a new subscription.</summary>
    internal IEnumerable<RoutedMessage> Find(byte[] filter) =>
        filter[0] == (byte)'$' ? _current.Values.Where(message => TopicFilter.Matches(filter, message.Topic)) : [];

    /// <summary>Publishes what has changed, when it is time.</summary>
    internal void Step(long now)
    {
        var elapsed = TimeSpan.FromMilliseconds(now - _last);
        if (period == TimeSpan.Zero || (elapsed < period && _current.Count > 0)) return;
        _last = now;
        var statistics = broker.View.Statistics();
        StepLoads(statistics, elapsed);
        var former = _current;
        var current = new Dictionary<byte[], RoutedMessage>(Utf8Comparer.Instance);
        var changed = new List<RoutedMessage>();
        foreach (var (name, value) in Values(statistics))
        {
            var topic = Encoding.UTF8.GetBytes("$SYS/broker/" + name);
            var payload = Encoding.UTF8.GetBytes(value);
            if (former.TryGetValue(topic, out var message) && message.Payload.SequenceEqual(payload))
            {
                current.Add(topic, message);
                continue;
            }
            message = RoutedMessage.Create(topic, payload, QualityOfService.ExactlyOnce, retain: false);
            current.Add(topic, message);
            changed.Add(message);
        }
        _current = current;
        foreach (var message in changed) broker.Publish(message);
    }

    private void StepLoads(MqttBrokerStatistics statistics, TimeSpan elapsed)
    {
        _connections.Step(statistics.ConnectionsAccepted, elapsed);
        _packetsIn.Step(statistics.PacketsReceived, elapsed);
        _messagesIn.Step(statistics.MessagesReceived, elapsed);
        _messagesOut.Step(statistics.MessagesSent, elapsed);
        _bytesIn.Step(statistics.BytesReceived, elapsed);
        _bytesOut.Step(statistics.BytesSent, elapsed);
    }

    private IEnumerable<(string Name, string Value)> Values(MqttBrokerStatistics now)
    {
        var connected = now.Connections + now.LocalClients;
        var away = Math.Max(0, now.Sessions - connected);
        yield return ("version", $"mooring version {typeof(MqttBroker).Assembly.GetName().Version?.ToString(3)}");
        yield return ("uptime", Number((long)now.Uptime.TotalSeconds) + " seconds");
        yield return ("clients/total", Number(now.Sessions));
        yield return ("clients/connected", Number(connected));
        yield return ("clients/active", Number(connected));
        yield return ("clients/disconnected", Number(away));
        yield return ("clients/inactive", Number(away));
        yield return ("clients/maximum", Number(now.ConnectionsMost));
        yield return ("clients/expired", Number(now.SessionsExpired));
        yield return ("messages/received", Number(now.PacketsReceived));
        yield return ("messages/stored", Number(now.RetainedMessages));
        yield return ("store/messages/count", Number(now.RetainedMessages));
        yield return ("store/messages/bytes", Number(now.RetainedBytes));
        yield return ("retained messages/count", Number(now.RetainedMessages));
        yield return ("subscriptions/count", Number(now.Subscriptions));
        yield return ("shared_subscriptions/count", Number(now.SharedSubscriptions));
        yield return ("publish/messages/received", Number(now.MessagesReceived));
        yield return ("publish/messages/sent", Number(now.MessagesSent));
        yield return ("publish/messages/dropped", Number(now.Dropped.Values.Sum()));
        yield return ("publish/bytes/received", Number(now.PayloadBytesReceived));
        yield return ("publish/bytes/sent", Number(now.PayloadBytesSent));
        yield return ("bytes/received", Number(now.BytesReceived));
        yield return ("bytes/sent", Number(now.BytesSent));
        yield return ("heap/current", Number(GC.GetTotalMemory(forceFullCollection: false)));
        foreach (var (name, load) in Loads())
        {
            yield return ($"load/{name}/1min", Number(load.OneMinute));
            yield return ($"load/{name}/5min", Number(load.FiveMinutes));
            yield return ($"load/{name}/15min", Number(load.FifteenMinutes));
        }
    }

    private (string Name, LoadAverage Load)[] Loads() =>
    [
        ("sockets", _connections), ("connections", _connections), ("messages/received", _packetsIn), ("publish/received", _messagesIn),
        ("publish/sent", _messagesOut), ("bytes/received", _bytesIn), ("bytes/sent", _bytesOut),
    ];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("F2", CultureInfo.InvariantCulture);
}
