using System.Diagnostics.Metrics;

namespace Mooring.Mqtt.Broker;

/// <summary>Counts of the broker, on meter <c>Mooring.Mqtt.Broker</c> and in its statistics.</summary>
internal sealed class BrokerCounters : IDisposable
{
    private readonly Meter _meter = new("Mooring.Mqtt.Broker");
    private long _slow;
    private long _expired;
    private long _queueFull;
    private long _tooLarge;
    private long _notAllowed;
    private long _retainedFull;
    private long _queuedBytes;

    internal BrokerCounters(MqttBroker broker)
    {
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.connections", () => broker.Connections, "{connection}", "Clients connected now");
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.sessions", () => broker.Sessions, "{session}", "Sessions, connected or kept");
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.subscriptions", () => broker.SubscriptionCount, "{subscription}", "Subscriptions of all sessions");
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.retained", () => broker.Retained, "{message}", "Retained messages");
        _meter.CreateObservableCounter(
            "mooring.mqtt.broker.received", () => broker.TotalTraffic().MessagesIn, "{message}", "Messages received from clients");
        _meter.CreateObservableCounter(
            "mooring.mqtt.broker.sent", () => broker.TotalTraffic().MessagesOut, "{message}", "Messages sent to clients");
        _meter.CreateObservableCounter(
            "mooring.mqtt.broker.received.size", () => broker.TotalTraffic().BytesIn, "By", "Bytes received from clients");
        _meter.CreateObservableCounter(
            "mooring.mqtt.broker.sent.size", () => broker.TotalTraffic().BytesOut, "By", "Bytes sent to clients");
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.queued.size", () => QueuedBytes, "By", "Bytes of messages that wait in all sessions");
        _meter.CreateObservableCounter("mooring.mqtt.broker.dropped", Dropped, "{message}", "Messages dropped, by reason");
    }

    /// <summary>Bytes of messages that wait in all sessions.</summary>
    internal long QueuedBytes => Interlocked.Read(ref _queuedBytes);

    internal void Queued(long bytes) => Interlocked.Add(ref _queuedBytes, bytes);

    internal void DroppedSlow() => Interlocked.Increment(ref _slow);

    internal void DroppedExpired() => Interlocked.Increment(ref _expired);

    internal void DroppedQueueFull() => Interlocked.Increment(ref _queueFull);

    internal void DroppedTooLarge() => Interlocked.Increment(ref _tooLarge);

    internal void DroppedNotAllowed() => Interlocked.Increment(ref _notAllowed);

    internal void NotRetained() => Interlocked.Increment(ref _retainedFull);

    internal Dictionary<string, long> DroppedByReason() => new(StringComparer.Ordinal)
    {
        ["slow consumer"] = Volatile.Read(ref _slow),
        ["expired"] = Volatile.Read(ref _expired),
        ["queue full"] = Volatile.Read(ref _queueFull),
        ["larger than the client takes"] = Volatile.Read(ref _tooLarge),
        ["not allowed"] = Volatile.Read(ref _notAllowed),
        ["not retained"] = Volatile.Read(ref _retainedFull),
    };

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> Dropped() =>
        DroppedByReason().Select(pair => new Measurement<long>(pair.Value, new KeyValuePair<string, object?>("reason", pair.Key)));
}
