using System.Collections.Concurrent;
using System.Net;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>Counts open connections by address, so that one address cannot take the places of all others.</summary>
internal sealed class ConnectionsByAddress(int maximum)
{
    private readonly ConcurrentDictionary<IPAddress, int> _open = new();

    /// <summary>False when the address has as many as it may.</summary>
    internal bool TryEnter(EndPoint? remote)
    {
        if (maximum == 0 || remote is not IPEndPoint { Address: var address }) return true;
        if (_open.AddOrUpdate(address, 1, (_, count) => count + 1) <= maximum) return true;
        Leave(remote);
        return false;
    }

    internal void Leave(EndPoint? remote)
    {
        if (maximum == 0 || remote is not IPEndPoint { Address: var address }) return;
        var left = _open.AddOrUpdate(address, 0, (_, count) => count - 1);
        if (left == 0) _open.TryRemove(KeyValuePair.Create(address, 0));
    }
}
