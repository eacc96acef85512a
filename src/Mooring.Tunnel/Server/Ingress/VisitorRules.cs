using System.Net;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Which visitors are let in, and which peers are proxies to be believed.</summary>
internal sealed class VisitorRules(TunnelServerOptions options)
{
    private readonly IPNetwork[] _allowed = [.. options.AllowedVisitors.Select(text => IPNetwork.Parse(text))];
    private readonly IPNetwork[] _denied = [.. options.DeniedVisitors.Select(text => IPNetwork.Parse(text))];
    private readonly IPNetwork[] _trusted = [.. options.TrustedProxies.Select(text => IPNetwork.Parse(text))];

    public bool IsAllowed(IPAddress address)
    {
        if (_allowed.Length == 0 && _denied.Length == 0) return true;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return !Contains(_denied, address) && (_allowed.Length == 0 || Contains(_allowed, address));
    }

    public bool IsTrusted(IPAddress address) => _trusted.Length > 0 && Contains(_trusted, address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static bool Contains(IPNetwork[] networks, IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address)) return true;
        }
        return false;
    }
}
