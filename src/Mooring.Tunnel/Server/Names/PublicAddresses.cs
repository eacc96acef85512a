using System.Globalization;
using System.Net;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Addresses as visitors use them. Ports are known when the listeners are bound.</summary>
internal sealed class PublicAddresses(TunnelServerOptions options)
{
    private string _scheme = "http";
    private string _port = "";

    /// <summary>Learns which ports were bound.</summary>
    public void Bound(IPEndPoint http, IPEndPoint? https)
    {
        if (options.PublicUrl is { } url)
        {
            _scheme = url[..url.IndexOf(':', StringComparison.Ordinal)];
            _port = url[(url.IndexOf('*', StringComparison.Ordinal) + 1)..];
            return;
        }
        _scheme = https is null ? "http" : "https";
        var port = (https ?? http).Port;
        _port = port == (https is null ? 80 : 443) ? "" : ":" + port.ToString(CultureInfo.InvariantCulture);
    }

    public string Http(string label) => HttpHost($"{label}.{options.BaseDomain}");

    public string HttpHost(string host) => $"{_scheme}://{host}{_port}";

    public string Tcp(int port) => string.Create(CultureInfo.InvariantCulture, $"tcp://{options.BaseDomain}:{port}");
}
