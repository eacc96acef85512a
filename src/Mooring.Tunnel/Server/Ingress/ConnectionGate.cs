namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Lets in so many at a time, and so many in a second.</summary>
internal sealed class ConnectionGate(int concurrentMax, int perSecond, TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _inside;
    private double _tokens = perSecond;
    private long _filled = time.GetTimestamp();

    public bool TryEnter()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(perSecond, _tokens + (time.GetElapsedTime(_filled, now).TotalSeconds * perSecond));
            _filled = now;
            if (_inside >= concurrentMax || (perSecond > 0 && _tokens < 1)) return false;
            _tokens--;
            _inside++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_gate) _inside--;
    }
}
