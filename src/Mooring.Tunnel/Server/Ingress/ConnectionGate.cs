namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Lets in so many at a time, and so many in a second.</summary>
internal sealed class ConnectionGate(int concurrentMax, int perSecond, TimeProvider time)
{
    private readonly TokenBucket _rate = new(perSecond, burst: perSecond, time);
    private int _inside;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _inside) <= concurrentMax && _rate.TryTake()) return true;
        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _inside);
}
