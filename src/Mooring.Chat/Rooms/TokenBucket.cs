namespace Mooring.Chat.Rooms;

/// <summary>So many messages a second, and a burst. Not thread-safe: one session or room uses it under its own lock.</summary>
internal struct TokenBucket
{
    private double _tokens;
    private long _at;
    private bool _isStarted;

    /// <summary>Takes one; false with the milliseconds to wait. A rate of 0 is no limit.</summary>
    internal bool TryTake(double perSecond, int burst, long nowMilliseconds, out long waitMilliseconds)
    {
        waitMilliseconds = 0;
        if (perSecond <= 0) return true;
        _tokens = _isStarted ? Math.Min(burst, _tokens + (nowMilliseconds - _at) * perSecond / 1000) : burst;
        _isStarted = true;
        _at = nowMilliseconds;
        if (_tokens >= 1)
        {
            _tokens--;
            return true;
        }
        waitMilliseconds = (long)Math.Ceiling((1 - _tokens) * 1000 / perSecond);
        return false;
    }
}
