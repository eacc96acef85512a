namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Lets so many through in a second, and after a quiet time so many at once. A rate of 0 lets all through.</summary>
internal sealed class TokenBucket(int perSecond, int burst, TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _perSecond = perSecond;
    private int _burst = burst;
    private double _tokens = burst;
    private long _filled = time.GetTimestamp();

    /// <summary>Nothing was taken for so long that it is as new.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                Fill();
                return _tokens >= _burst;
            }
        }
    }

    public bool TryTake()
    {
        if (Volatile.Read(ref _perSecond) == 0) return true;
        lock (_gate)
        {
            Fill();
            if (_tokens < 1) return false;
            _tokens--;
            return true;
        }
    }

    /// <summary>Another rate from now on.</summary>
    public void Change(int perSecond, int burst)
    {
        lock (_gate)
        {
            Fill();
            Volatile.Write(ref _perSecond, perSecond);
            _tokens = Math.Min(_tokens + Math.Max(0, burst - _burst), burst);
            _burst = burst;
        }
    }

    private void Fill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + (time.GetElapsedTime(_filled, now).TotalSeconds * _perSecond));
        _filled = now;
    }
}
