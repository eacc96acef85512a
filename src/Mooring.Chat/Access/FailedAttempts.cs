using Mooring.Chat.Configuration;

namespace Mooring.Chat.Access;

/// <summary>Wrong tokens and passwords of each address: after some of them in a minute no more are looked at until it is over.</summary>
internal sealed class FailedAttempts
{
    private const long WindowMilliseconds = 60_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Count, long Since)> _byAddress = new(StringComparer.Ordinal);

    /// <summary>False with the milliseconds until the minute is over.</summary>
    internal bool MayTry(string address, long now, out long waitMilliseconds)
    {
        waitMilliseconds = 0;
        lock (_gate)
        {
            if (!_byAddress.TryGetValue(address, out var failed) || failed.Count < ChatLimits.FailedAttemptsMax) return true;
            waitMilliseconds = Math.Max(failed.Since + WindowMilliseconds - now, 0);
            return waitMilliseconds == 0;
        }
    }

    internal void Add(string address, long now)
    {
        lock (_gate)
        {
            if (_byAddress.Count >= ChatLimits.RatedAddressesMax && !_byAddress.ContainsKey(address)) Forget_NeedsLock(now);
            var (count, since) = _byAddress.GetValueOrDefault(address, (0, now));
            _byAddress[address] = now - since >= WindowMilliseconds ? (1, now) : (count + 1, since);
        }
    }

    /// <summary>Whose minute is over, and if that is nobody, the half that failed least.</summary>
    private void Forget_NeedsLock(long now)
    {
        foreach (var (address, (_, since)) in _byAddress)
            if (now - since >= WindowMilliseconds) _byAddress.Remove(address);
        if (_byAddress.Count < ChatLimits.RatedAddressesMax) return;
        foreach (var (address, _) in _byAddress.OrderBy(entry => entry.Value.Count).Take(_byAddress.Count / 2).ToList()) _byAddress.Remove(address);
    }
}
