using Mooring.Kernel.Clocks;

namespace Mooring.Edge.Hub.Enrolment;

/// <summary>Ids that machines have asked for. They live five minutes and can be used once.</summary>
internal sealed class PendingIds(int pendingMax, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();

    // In steady time: a clock that is set takes nobody's minutes away, and gives nobody a day.
    private readonly Dictionary<string, TimeSpan> _expiry = new(StringComparer.Ordinal);

    /// <summary>A fresh id; null when too many wait already.</summary>
    public (string Id, DateTimeOffset ExpiresAt)? Take(Func<string, bool> isKnown)
    {
        var now = time.Steady();
        lock (_lock)
        {
            foreach (var (id, expiry) in _expiry)
                if (expiry <= now) _expiry.Remove(id);
            if (_expiry.Count >= pendingMax) return null;
            string fresh;
            do fresh = AgentId.Fresh();
            while (isKnown(fresh) || _expiry.ContainsKey(fresh));
            _expiry[fresh] = now + Lifetime;
            return (fresh, time.GetUtcNow() + Lifetime);
        }
    }

    /// <summary>Uses an id up.</summary>
    /// <returns>Null when it was never given out; otherwise whether it was still good.</returns>
    public bool? Use(string id)
    {
        lock (_lock)
        {
            if (!_expiry.Remove(id, out var expiry)) return null;
            return expiry > time.Steady();
        }
    }
}
