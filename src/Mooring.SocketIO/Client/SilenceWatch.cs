namespace Mooring.SocketIO.Client;

/// <summary>Tells when a server has been silent for too long. A long message on its way is no silence.</summary>
internal sealed class SilenceWatch : IDisposable
{
    private readonly TimeSpan _limit;
    private readonly Func<long> _progress;
    private readonly Func<bool> _isBusy;
    private readonly TimeProvider _time;
    private readonly Action _silent;
    private readonly ITimer _timer;
    private long _heardAt;
    private long _progressSeen;

    public SilenceWatch(TimeSpan limit, Func<long> progress, Func<bool> isBusy, TimeProvider time, Action silent)
    {
        (_limit, _progress, _isBusy, _time, _silent) = (limit, progress, isBusy, time, silent);
        _heardAt = time.GetTimestamp();
        _timer = time.CreateTimer(static state => ((SilenceWatch)state!).OnTimer(), this, limit, Timeout.InfiniteTimeSpan);
    }

    public void Heard()
    {
        Volatile.Write(ref _heardAt, _time.GetTimestamp());
        Volatile.Write(ref _progressSeen, _progress());
    }

    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        // Part of a message has come since, or handlers keep the reader waiting.
        if (_progress() != Volatile.Read(ref _progressSeen) || _isBusy()) Heard();
        var left = _limit - _time.GetElapsedTime(Volatile.Read(ref _heardAt));
        if (left > TimeSpan.Zero) Rearm(left);
        else _silent();
    }

    private void Rearm(TimeSpan wait)
    {
        try
        {
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The connection ended meanwhile.
        }
    }
}
