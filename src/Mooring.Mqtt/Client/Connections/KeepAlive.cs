namespace Mooring.Mqtt.Client.Connections;

/// <summary>
/// Sends PINGREQ when nothing was sent or nothing was received for an interval, and tells when PINGRESP does not come: TCP alone would
/// not notice a vanished peer for many minutes.
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
    private bool _paused;

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

    internal void PingAnswered()
    {
        lock (_lock) _waits = false;
    }

    /// <summary>Nobody reads for now, so an answer that does not come says nothing about the peer.</summary>
    internal void Pause()
    {
        lock (_lock) _paused = true;
    }

    internal void Resume()
    {
        lock (_lock)
        {
            _paused = false;
            _pingAt = _time.GetTimestamp();
        }
        Received();
    }

    public void Dispose() => _timer.Dispose();

    private void Check()
    {
        bool ping, dead;
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            var idle = _time.GetElapsedTime(Math.Min(Volatile.Read(ref _sentAt), Volatile.Read(ref _receivedAt)), now);
            dead = _waits && !_paused && _time.GetElapsedTime(_pingAt, now) >= _pingTimeout;
            // While reading is paused, the broker still wants to hear something.
            ping = !dead && (!_waits || _paused) && idle >= _interval;
            if (ping) (_waits, _pingAt) = (true, now);
            var wait = _waits ? (_paused ? _interval : _pingTimeout - _time.GetElapsedTime(_pingAt, now)) : _interval - idle;
            if (!dead) _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
        if (dead) _dead($"no PINGRESP within {_pingTimeout.TotalSeconds:0.###} s");
        else if (ping) _sendPing();
    }
}
