using System.Diagnostics.Metrics;

namespace Mooring.Mqtt.Broker;

/// <summary>Counts of the broker, on meter <c>Mooring.Mqtt.Broker</c> and in its statistics.</summary>
internal sealed class BrokerCounters : IDisposable
{
    private readonly Meter _meter = new("Mooring.Mqtt.Broker");
    private long _received;
    private long _sent;
    private long _slow;
    private long _expired;
    private long _queueFull;
    private long _tooLarge;
    private long _notAllowed;

    internal BrokerCounters(MqttBroker broker)
    {
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.connections", () => broker.Connections, "{connection}", "Clients connected now");
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.sessions", () => broker.Sessions, "{session}", "Sessions, connected or kept");
        _meter.CreateObservableUpDownCounter(
            "mooring.mqtt.broker.retained", () => broker.Retained, "{message}", "Retained messages");
        _meter.CreateObservableCounter(
            "mooring.mqtt.broker.received", () => Volatile.Read(ref _received), "{message}", "Messages received from clients");
        _meter.CreateObservableCounter(
            "mooring.mqtt.broker.sent", () => Volatile.Read(ref _sent), "{message}", "Messages sent to clients");
        _meter.CreateObservableCounter("mooring.mqtt.broker.dropped", Dropped, "{message}", "Messages dropped, by reason");
    }

    internal void Received() => Interlocked.Increment(ref _received);

    internal void Sent() => Interlocked.Increment(ref _sent);

    internal void DroppedSlow() => Interlocked.Increment(ref _slow);

    internal void DroppedExpired() => Interlocked.Increment(ref _expired);

    internal void DroppedQueueFull() => Interlocked.Increment(ref _queueFull);

    internal void DroppedTooLarge() => Interlocked.Increment(ref _tooLarge);

    internal void DroppedNotAllowed() => Interlocked.Increment(ref _notAllowed);

    public void Dispose() => _meter.Dispose();

    private Measurement<long>[] Dropped() =>
    [
        new(Volatile.Read(ref _slow), new KeyValuePair<string, object?>("reason", "slow consumer")),
        new(Volatile.Read(ref _expired), new KeyValuePair<string, object?>("reason", "expired")),
        new(Volatile.Read(ref _queueFull), new KeyValuePair<string, object?>("reason", "queue full")),
        new(Volatile.Read(ref _tooLarge), new KeyValuePair<string, object?>("reason", "larger than the client takes")),
        new(Volatile.Read(ref _notAllowed), new KeyValuePair<string, object?>("reason", "not allowed")),
    ];
}
