using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>
/// The publishers that wait for one receiver. A burst to a receiver that works is held back instead of dropped; one that does not work
/// off its queue costs its publishers no more than one tenth of their time. Touched under the receiver's lock.
/// </summary>
/// <param name="longest">Longest time that publishers are held without a rest of <see cref="RestFactor"/> times that; zero for never.</param>
internal sealed class PublisherHold(TimeSpan longest)
{
    private const int RestFactor = 10;

    // Connections are let go on by the broker's tick, once a second.
    private readonly long _milliseconds = (long)Math.Ceiling(longest.TotalSeconds) * 1000;
    private readonly List<BrokerConnection> _held = new(capacity: 1);
    private long _until;
    private long? _mayStartAt;

    /// <summary>As <see cref="ICrowdedReceiver.TryHold"/>.</summary>
    internal long? TryAdd(BrokerConnection publisher, long now)
    {
        if (now >= (_mayStartAt ?? now))
        {
            _held.Clear();
            _until = now + _milliseconds;
            _mayStartAt = now + (RestFactor * _milliseconds);
        }

        if (now >= _until) return null;
        _held.Add(publisher);
        return _until;
    }

    /// <summary>There is room again, or nobody left to wait for.</summary>
    internal void Release()
    {
        foreach (var publisher in _held) publisher.GoOn();
        _held.Clear();
    }
}
