using System.Net;
using Mooring.Kernel.Clocks;

namespace Mooring.Edge.Hub.Enrolment;

/// <summary>Ids that machines have asked for. They live five minutes and can be used once.</summary>
internal sealed class PendingIds(int pendingMax, int pendingPerAddressMax, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();

    // In steady time: a clock that is set takes nobody's minutes away, and gives nobody a day.
    private readonly Dictionary<string, (TimeSpan Expiry, IPAddress? From)> _pending = new(StringComparer.Ordinal);

    /// <summary>A fresh id; null when too many wait already, in all or of this address: one machine must not use up what all others need.</summary>
    /// <param name="from">Who asks.</param>
    /// <param name="isKnown">Whether an id is somebody's already.</param>
    public (string Id, DateTimeOffset ExpiresAt)? Take(IPAddress? from, Func<string, bool> isKnown)
    {
        var now = time.Steady();
        lock (_lock)
        {
            foreach (var (id, pending) in _pending)
                if (pending.Expiry <= now) _pending.Remove(id);
            if (_pending.Count >= pendingMax || _pending.Values.Count(pending => Equals(pending.From, from)) >= pendingPerAddressMax) return null;
            string fresh;
            do fresh = AgentId.Fresh();
            while (isKnown(fresh) || _pending.ContainsKey(fresh));
            _pending[fresh] = (now + Lifetime, from);
            return (fresh, time.GetUtcNow() + Lifetime);
        }
    }

    /// <summary>Uses an id up.</summary>
    /// <returns>Null when it was never given out; otherwise whether it was still good.</returns>
    public bool? Use(string id)
    {
        lock (_lock)
        {
            if (!_pending.Remove(id, out var pending)) return null;
            return pending.Expiry > time.Steady();
        }
    }
}
