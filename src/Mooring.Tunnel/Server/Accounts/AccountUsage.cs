using Mooring.Tunnel.Server.Ingress;

namespace Mooring.Tunnel.Server.Accounts;

/// <summary>What an account uses at this moment, over all its connections.</summary>
internal sealed class AccountUsage(TimeProvider time)
{
    /// <summary>Seconds' worth of requests that may come at once: a page asks for its pictures together.</summary>
    internal const int BurstSeconds = 5;

    private int _sessions;
    private int _tunnels;

    public int Sessions => Volatile.Read(ref _sessions);

    public int Tunnels => Volatile.Read(ref _tunnels);

    /// <summary>Visitors' requests that may still come.</summary>
    public TokenBucket Requests { get; } = new(0, 0, time);

    /// <summary>Forgetting it would change nothing.</summary>
    public bool IsNone => Sessions == 0 && Tunnels == 0 && Requests.IsFull;

    public void CountSessions(int change) => Interlocked.Add(ref _sessions, change);

    public void CountTunnels(int change) => Interlocked.Add(ref _tunnels, change);

    /// <summary>Obeys a quota from now on.</summary>
    public void Obey(Quota quota) => Requests.Change(quota.RequestsPerSecond, quota.RequestsPerSecond * BurstSeconds);
}
