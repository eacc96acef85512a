using System.Globalization;

namespace Mooring.Tunnel.Client;

/// <summary>A tunnel that the server granted.</summary>
public sealed class PublishedTunnel
{
    private readonly ClientTunnel _tunnel;

    internal PublishedTunnel(ClientTunnel tunnel) => _tunnel = tunnel;

    /// <summary>What was asked for.</summary>
    public TunnelDefinition Definition => _tunnel.Definition;

    /// <summary>Public address, such as <c>http://name.localhost:6480</c> or <c>tcp://host:20000</c>.</summary>
    public string Url => _tunnel.Grant?.Url ?? "";

    /// <summary>The name that the server gave; empty for TCP.</summary>
    public string Subdomain => Definition.Protocol == TunnelProtocol.Tcp ? "" : _tunnel.Grant?.Subdomain ?? "";

    /// <summary>The public TCP port; null for HTTP.</summary>
    public int? RemotePort => _tunnel.Grant?.RemotePort;

    /// <summary>Payload bytes that visitors sent.</summary>
    public long BytesIn => _tunnel.BytesIn;

    /// <summary>Payload bytes that visitors received.</summary>
    public long BytesOut => _tunnel.BytesOut;

    /// <summary>Requests and connections so far.</summary>
    public long Requests => _tunnel.Requests;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Url} -> localhost:{Definition.LocalPort}");
}
