using System.Net;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>
/// Wrong passwords by address. An address that had too many within a minute is refused without a check until the minute is over:
/// guessing is slow then, and costs the broker nothing.
/// </summary>
internal sealed class FailedLogins(int perMinute)
{
    /// <summary>Addresses remembered. Someone with more than these can make it forget, and is slowed down by the checks themselves.</summary>
    private const int AddressesMax = 10_000;
    private const long MinuteMilliseconds = 60_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, (int Count, long Since)> _failed = [];

    internal bool IsTooMany(EndPoint? remote, long now)
    {
        if (perMinute == 0 || remote is not IPEndPoint { Address: var address }) return false;
        lock (_gate)
        {
            return _failed.TryGetValue(address, out var failed) && failed.Count >= perMinute && now - failed.Since < MinuteMilliseconds;
        }
    }

    internal void Add(EndPoint? remote, long now)
    {
        if (remote is not IPEndPoint { Address: var address }) return;
        lock (_gate)
        {
            if (_failed.Count >= AddressesMax) _failed.Clear();
            var isRecent = _failed.TryGetValue(address, out var failed) && now - failed.Since < MinuteMilliseconds;
            _failed[address] = isRecent ? (failed.Count + 1, failed.Since) : (1, now);
        }
    }
}
