using System.Net;
using System.Net.Sockets;
using Mooring.Kernel.Clocks;

namespace Mooring.Cli.Access;

/// <summary>Counts failed log-ins, by address and by account, and says when to stop answering.</summary>
internal sealed class LoginThrottle(AccessLimits limits, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int Count, TimeSpan Since)> _failures = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How long to wait before the next attempt; null when it may be made.</summary>
    internal TimeSpan? Wait(IPAddress? address, string? account)
    {
        lock (_lock)
        {
            var now = time.Steady();
            var wait = Left(KeyOf(address), limits.FailuresPerAddress, now);
            var other = account is null ? null : Left(KeyOf(account), limits.FailuresPerAccount, now);
            return wait > other || other is null ? wait : other;
        }
    }

    internal void Failed(IPAddress? address, string? account)
    {
        lock (_lock)
        {
            Count(KeyOf(address));
            if (account is not null) Count(KeyOf(account));
        }
    }

    /// <summary>Forgets the account's failures: its owner has come. Those of the address stay, or one good account would pay for guesses at others.</summary>
    internal void Succeeded(string account)
    {
        lock (_lock) _failures.Remove(KeyOf(account));
    }

    private TimeSpan? Left(string key, int most, TimeSpan now)
    {
        if (!_failures.TryGetValue(key, out var entry)) return null;
        var left = entry.Since + limits.FailurePeriod - now;
        if (left > TimeSpan.Zero) return entry.Count >= most ? left : null;
        _failures.Remove(key);
        return null;
    }

    private void Count(string key)
    {
        var now = time.Steady();
        if (_failures.TryGetValue(key, out var entry) && entry.Since + limits.FailurePeriod > now)
        {
            _failures[key] = (entry.Count + 1, entry.Since);
            return;
        }
        if (_failures.Count >= limits.CountersMax) _failures.Remove(_failures.MinBy(pair => pair.Value.Since).Key);
        _failures[key] = (1, now);
    }

    private static string KeyOf(string account) => "account " + account;

    // Of IPv6 a subscriber has at least a /64: its addresses count as one.
    private static string KeyOf(IPAddress? address)
    {
        if (address is null) return "address";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return "address " + (address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes(), 0, 8) : address.ToString());
    }
}
