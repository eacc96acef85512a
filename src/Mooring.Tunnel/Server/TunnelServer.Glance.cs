using Mooring.Kernel.Events;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server;

/// <summary>What operators see at a glance.</summary>
public sealed partial class TunnelServer
{
    /// <summary>All open tunnels.</summary>
    public IEnumerable<TunnelGlance> Tunnels => Directory.All.Select(t => new TunnelGlance(
        t.Name, t.Url, t.Protocol, t.Account.Id, t.Session.Remote, t.Created, t.Requests, t.BytesIn + t.BytesOut));

    /// <summary>The last requests of visitors, the oldest first.</summary>
    public IReadOnlyList<TunnelVisit> Visits => _recent.Last();

    /// <summary>Requests of visitors so far.</summary>
    public long VisitCount => _recent.Count;

    private static void Tell(OperatorEvents events, TunnelBinding binding, bool isOpen) => events.Publish(
        "tunnel", binding.Name, isOpen ? "tunnel_opened" : "tunnel_closed", EventSeverity.Notice,
        isOpen ? $"{binding.Url} is open for {binding.Account.Id}" : $"{binding.Url} is closed after {binding.Requests} request(s)");
}
