using Mooring.Kernel.Events;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server;

/// <summary>What operators see at a glance, and what they are told.</summary>
public sealed partial class TunnelServer
{
    /// <summary>The name of this system in events.</summary>
    internal const string EventSystem = "tunnel";

    /// <summary>All open tunnels.</summary>
    public IEnumerable<TunnelGlance> Tunnels => Directory.All.Select(t => new TunnelGlance(
        t.Name, t.Url, t.Protocol, t.Account.Id, t.Session.Remote, t.Created, t.Requests, t.BytesIn + t.BytesOut));

    /// <summary>The last requests of visitors, the oldest first.</summary>
    public IReadOnlyList<TunnelVisit> Visits => _recent.Last();

    /// <summary>Requests of visitors so far.</summary>
    public long VisitCount => _recent.Count;

    private void Tell(TunnelBinding binding, bool isOpen) => Events.Publish(
        EventSystem, binding.Name, isOpen ? "tunnel_opened" : "tunnel_closed", EventSeverity.Notice,
        isOpen ? $"{binding.Url} is open for {binding.Account.Id}" : $"{binding.Url} is closed after {binding.Requests} request(s)");

    private void TellOfDrain(bool isDraining) => Events.Publish(
        EventSystem, "server", isDraining ? "draining" : "undrained", EventSeverity.Warning, isDraining ? "no new clients are taken in" : "clients are taken in again");
}
