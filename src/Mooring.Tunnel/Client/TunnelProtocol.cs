namespace Mooring.Tunnel.Client;

/// <summary>What a tunnel carries.</summary>
public enum TunnelProtocol
{
    /// <summary>HTTP requests and WebSockets, under a host name.</summary>
    Http,

    /// <summary>TCP connections, on a port.</summary>
    Tcp,
}
