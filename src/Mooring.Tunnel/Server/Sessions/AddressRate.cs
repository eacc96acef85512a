using System.Collections.Concurrent;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>How often something may happen from one address in a period. This machine's own addresses are not counted.</summary>
internal sealed class AddressRate(int max, TimeSpan period, TimeProvider time)
{
    /// <summary>Addresses remembered; beyond it old periods are forgotten first.</summary>
    private const int AddressesMax = 100_000;

    private readonly ConcurrentDictionary<string, (long Began, int Count)> _counts = new(StringComparer.Ordinal);

    /// <summary>How long until the address may try again.</summary>
    public TimeSpan Period => period;

    public bool IsAllowed(string address) =>
        IsOwn(address) || !_counts.TryGetValue(address, out var entry) || entry.Count < max || time.GetElapsedTime(entry.Began) >= period;

    /// <summary>Counts; the number in this period, for who does not want to tell of each.</summary>
    public int Count(string address)
    {
        if (IsOwn(address)) return 1;
        if (_counts.Count >= AddressesMax) Forget();
        var now = time.GetTimestamp();
        return _counts.AddOrUpdate(
            address, _ => (now, 1), (_, entry) => time.GetElapsedTime(entry.Began, now) >= period ? (now, 1) : (entry.Began, entry.Count + 1)).Count;
    }

    /// <summary>Counts, unless there were too many already.</summary>
    public bool TryCount(string address)
    {
        if (!IsAllowed(address)) return false;
        Count(address);
        return true;
    }

    private void Forget()
    {
        foreach (var (address, entry) in _counts)
        {
            if (time.GetElapsedTime(entry.Began) >= period) _counts.TryRemove(address, out _);
        }
        if (_counts.Count >= AddressesMax) _counts.Clear();
    }

    internal static bool IsOwn(string address) => address is "127.0.0.1" or "::1" or "::ffff:127.0.0.1";
}
