using Mooring.Chat.Configuration;

namespace Mooring.Chat.Rooms;

/// <summary>So many new connections a second of one address. Used under the hub's lock.</summary>
internal sealed class ConnectionRates
{
    private readonly Dictionary<string, (TokenBucket Bucket, long At)> _byAddress = new(StringComparer.Ordinal);

    /// <summary>Takes one; false with the milliseconds to wait. A rate of 0 is no limit.</summary>
    internal bool TryTake(string address, int perSecond, long now, out long wait)
    {
        wait = 0;
        if (perSecond <= 0) return true;
        if (_byAddress.Count >= ChatLimits.RatedAddressesMax && !_byAddress.ContainsKey(address)) Forget(now);
        var (bucket, _) = _byAddress.GetValueOrDefault(address);
        var isTaken = bucket.TryTake(perSecond, perSecond, now, out wait);
        _byAddress[address] = (bucket, now);
        return isTaken;
    }

    /// <summary>Who has not come for a second has a full bucket again; if all have come, the oldest half starts anew.</summary>
    private void Forget(long now)
    {
        foreach (var (address, (_, at)) in _byAddress)
            if (now - at >= 1000) _byAddress.Remove(address);
        if (_byAddress.Count < ChatLimits.RatedAddressesMax) return;
        foreach (var (address, _) in _byAddress.OrderBy(entry => entry.Value.At).Take(_byAddress.Count / 2).ToList()) _byAddress.Remove(address);
    }
}
