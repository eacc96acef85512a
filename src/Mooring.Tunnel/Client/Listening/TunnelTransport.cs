using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Mooring.Tunnel.Client.Listening;

/// <summary>Lets Kestrel, or anything that accepts connections, listen on a <see cref="TunnelEndPoint"/>. Register it beside the sockets' factory.</summary>
/// <param name="loggers">Where the client of the tunnel logs.</param>
public sealed class TunnelTransport(ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is TunnelEndPoint;

    /// <inheritdoc/>
    /// <exception cref="TunnelException">The server refused.</exception>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is not TunnelEndPoint { Options: var options }) throw new NotSupportedException($"{endpoint} is no tunnel");
        ArgumentOutOfRangeException.ThrowIfNotEqual(options.Tunnels.Count, 1, nameof(endpoint));
        var origin = new AcceptedOrigin();
        var client = await TunnelClient.ConnectAsync(options, _ => origin, loggers, null, cancellationToken);
        return new TunnelListener(endpoint, client, origin);
    }
}
