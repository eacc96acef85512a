namespace Mooring.Tunnel.Links;

/// <summary>Memory that the streams of a link share for bytes whose targets are slow.</summary>
internal sealed class ByteBudget(long max)
{
    private long _taken;

    public long Taken => Volatile.Read(ref _taken);

    /// <summary>The whole amount or nothing.</summary>
    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= max) return true;
        Return(bytes);
        return false;
    }

    public void Return(int bytes) => Interlocked.Add(ref _taken, -bytes);
}
