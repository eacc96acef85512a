using System.Net;

namespace Mooring.Tunnel.Client.Listening;

/// <summary>A tunnel as an address to listen on: what comes in at its public address is accepted here, without a local port.</summary>
/// <param name="options">Server, token, and exactly one tunnel; its local port is not used.</param>
public sealed class TunnelEndPoint(TunnelClientOptions options) : EndPoint
{
    /// <summary>How the tunnel is made.</summary>
    public TunnelClientOptions Options { get; } = options;

    /// <inheritdoc/>
    public override string ToString() => $"tunnel of {Options.Server}";
}
