using Microsoft.AspNetCore.Server.Kestrel.Core;
using Mooring.Kernel.Proxying;
using Mooring.Kernel.Tls;

namespace Mooring.Chat.Http;

/// <summary>Takes the header of a load balancer off the head of each connection; a connection without one is closed.</summary>
internal static class ProxyListener
{
    /// <summary>Call it first: the header comes before TLS.</summary>
    internal static void UseProxyProtocol(this ListenOptions listen, TimeProvider time) => listen.Use(next => async connection =>
    {
        try
        {
            using var limit = new CancellationTokenSource(TlsListenExtensions.HandshakeTimeout, time);
            connection.RemoteEndPoint = await connection.Transport.Input.ReadProxyHeaderAsync(limit.Token).ConfigureAwait(false) ?? connection.RemoteEndPoint;
        }
        catch (Exception exception) when (StreamOutput.IsTransportFault(exception))
        {
            // It left, or it sent no header in time: there is nobody to talk to.
            return;
        }
        await next(connection).ConfigureAwait(false);
    });
}
