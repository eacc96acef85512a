using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Ingress;

namespace Mooring.Tunnel.Server.Accounts;

/// <summary>What an account uses at this moment, over all its connections.</summary>
internal sealed class AccountUsage
{
    /// <summary>Seconds' worth of requests that may come at once: a page asks for its pictures together.</summary>
    internal const int BurstSeconds = 5;

    /// <summary>What visitors are told when the account has used its day up.</summary>
    internal const string DayIsOver = "this account has carried what it may in a day";

    /// <summary>What clients are told of a stream that was cut for it.</summary>
    internal const string CutForTheDay = ErrorCodes.QuotaBytes + ": " + DayIsOver;

    private readonly TimeProvider _time;
    private int _sessions;
    private int _tunnels;
    private int _day;
    private long _bytes;
    private long _bytesWritten;
    private long _bytesPerDay;

    public AccountUsage(TimeProvider time, Traffic before)
    {
        _time = time;
        Requests = new TokenBucket(0, 0, time);
        _day = Today;
        if (before.Day == _day) _bytes = _bytesWritten = before.Bytes;
    }

    public int Sessions => Volatile.Read(ref _sessions);

    public int Tunnels => Volatile.Read(ref _tunnels);

    /// <summary>Visitors' requests that may still come.</summary>
    public TokenBucket Requests { get; }

    /// <summary>Payload bytes of today.</summary>
    public long BytesToday => Volatile.Read(ref _bytes);

    /// <summary>What may be carried today is used up.</summary>
    public bool IsOverDay => Volatile.Read(ref _bytesPerDay) is > 0 and var most && BytesToday >= most;

    /// <summary>Until the next day begins, in whole seconds.</summary>
    public int SecondsLeftOfDay => (int)Math.Ceiling((TimeSpan.FromDays(1) - _time.GetUtcNow().TimeOfDay).TotalSeconds);

    /// <summary>Forgetting it would change nothing.</summary>
    public bool IsNone => Sessions == 0 && Tunnels == 0 && Requests.IsFull && BytesToday == Volatile.Read(ref _bytesWritten);

    private int Today => DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime).DayNumber;

    public void CountSessions(int change) => Interlocked.Add(ref _sessions, change);

    public void CountTunnels(int change) => Interlocked.Add(ref _tunnels, change);

    /// <summary>Counts bytes that are to be carried; how many of them may be. What may not is not counted.</summary>
    public int Take(int bytes)
    {
        var total = Interlocked.Add(ref _bytes, bytes);
        var most = Volatile.Read(ref _bytesPerDay);
        if (most == 0 || total <= most) return bytes;
        var over = (int)Math.Min(bytes, total - most);
        Interlocked.Add(ref _bytes, -over);
        return bytes - over;
    }

    /// <summary>Begins a new day when it is time; called by one thread, about once a second, so that counting asks no clock.</summary>
    public void Tick()
    {
        var today = Today;
        if (_day == today) return;
        _day = today;
        Volatile.Write(ref _bytesWritten, 0);
        Interlocked.Exchange(ref _bytes, 0);
    }

    /// <summary>What is to be written down; false when that was done. Called by the same thread.</summary>
    public bool TryTakeTraffic(out Traffic traffic)
    {
        traffic = new Traffic(_day, BytesToday);
        if (traffic.Bytes == _bytesWritten) return false;
        Volatile.Write(ref _bytesWritten, traffic.Bytes);
        return true;
    }

    /// <summary>Obeys a quota from now on.</summary>
    public void Obey(Quota quota)
    {
        Requests.Change(quota.RequestsPerSecond, quota.RequestsPerSecond * BurstSeconds);
        Volatile.Write(ref _bytesPerDay, quota.BytesPerDay);
    }
}
