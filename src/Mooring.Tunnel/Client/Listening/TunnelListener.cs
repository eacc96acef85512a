using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Mooring.Tunnel.Client.Listening;

/// <summary>A tunnel that accepts.</summary>
public sealed class TunnelListener : IConnectionListener
{
    private readonly AcceptedOrigin _origin;
    private readonly TunnelClient _client;

    internal TunnelListener(EndPoint endPoint, TunnelClient client, AcceptedOrigin origin) => (EndPoint, _client, _origin) = (endPoint, client, origin);

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <summary>The public address.</summary>
    public string Url => _client.Tunnels[0].Url;

    /// <inheritdoc/>
    public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => _origin.AcceptAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _client.DisposeAsync();
        _origin.Stop();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => UnbindAsync();
}
