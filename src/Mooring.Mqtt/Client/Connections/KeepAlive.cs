namespace Mooring.Mqtt.Client.Connections;

/// <summary>
/// Sends PINGREQ when nothing was sent or nothing was received for an interval, and tells when nothing comes then, since TCP alone would
/// not notice a vanished peer for many minutes. Any packet proves that the peer is there: PINGRESP may stand behind many others.
/// </summary>
internal sealed class KeepAlive : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly TimeSpan _pingTimeout;
    private readonly Action _sendPing;
    private readonly Action<string> _dead;
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private long _sentAt;
    private long _receivedAt;
    private long _pingAt;
    private bool _waits;

    internal KeepAlive(TimeProvider time, TimeSpan interval, TimeSpan? pingTimeout, Action sendPing, Action<string> dead)
    {
        _time = time;
        _interval = interval;
        _pingTimeout = pingTimeout ?? TimeSpan.FromTicks(Math.Max(interval.Ticks / 2, TimeSpan.TicksPerSecond * 5));
        _sendPing = sendPing;
        _dead = dead;
        _sentAt = _receivedAt = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Check(), null, interval, Timeout.InfiniteTimeSpan);
    }

    internal void Sent() => Volatile.Write(ref _sentAt, _time.GetTimestamp());

    internal void Received() => Volatile.Write(ref _receivedAt, _time.GetTimestamp());

    public void Dispose() => _timer.Dispose();

    private void Check()
    {
        bool ping = false, dead = false;
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            var (sentAt, receivedAt) = (Volatile.Read(ref _sentAt), Volatile.Read(ref _receivedAt));
            if (receivedAt >= _pingAt) _waits = false;
            var wait = _waits
                ? _pingTimeout - _time.GetElapsedTime(_pingAt, now)
                : _interval - _time.GetElapsedTime(Math.Min(sentAt, receivedAt), now);
            if (wait <= TimeSpan.Zero)
            {
                (ping, dead) = (!_waits, _waits);
                (_waits, _pingAt) = (true, now);
                wait = _pingTimeout;
            }
            if (!dead) _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
        if (dead) _dead($"no PINGRESP within {_pingTimeout.TotalSeconds:0.###} s");
        else if (ping) _sendPing();
    }
}
