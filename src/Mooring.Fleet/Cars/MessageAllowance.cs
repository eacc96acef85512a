namespace Mooring.Fleet.Cars;

/// <summary>A bucket of messages that fills at a steady rate and holds one second's worth.</summary>
internal sealed class MessageAllowance(int perSecond)
{
    private static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private double _left = perSecond;
    private TimeSpan _at;
    private TimeSpan _loggedAt = -LogEvery;

    internal bool TryTake(TimeSpan now)
    {
        lock (_lock)
        {
            _left = Math.Min(perSecond, _left + ((now - _at).TotalSeconds * perSecond));
            _at = now;
            if (_left < 1) return false;
            _left--;
            return true;
        }
    }

    /// <summary>True once a second.</summary>
    internal bool MayLog(TimeSpan now)
    {
        lock (_lock)
        {
            if (now - _loggedAt < LogEvery) return false;
            _loggedAt = now;
            return true;
        }
    }
}
