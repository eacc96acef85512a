using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Mooring.Chat.Protocol;
using Mooring.Kernel.Tls;

namespace Mooring.Chat.Http;

/// <summary>Takes the header of a load balancer off the head of each connection; a connection without one is closed.</summary>
internal static class ProxyListener
{
    /// <summary>Call it first: the header comes before TLS.</summary>
    internal static void UseProxyProtocol(this ListenOptions listen, TimeProvider time) => listen.Use(next => async connection =>
    {
        using var limit = new CancellationTokenSource(TlsListenExtensions.HandshakeTimeout, time);
        try
        {
            if (!await TryTakeHeaderAsync(connection, limit.Token).ConfigureAwait(false)) return;
        }
        catch (Exception exception) when (StreamOutput.IsTransportFault(exception))
        {
            // It left, or it sent no header in time: there is nobody to talk to.
            return;
        }
        await next(connection).ConfigureAwait(false);
    });

    private static async Task<bool> TryTakeHeaderAsync(ConnectionContext connection, CancellationToken cancellationToken)
    {
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var head = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, ProxyHeader.BytesMax)).ToArray();
            switch (ProxyHeader.Read(head, out var length, out var source))
            {
                case ProxyHeaderOutcome.Whole:
                    input.AdvanceTo(result.Buffer.GetPosition(length));
                    if (source is not null) connection.RemoteEndPoint = new IPEndPoint(source, 0);
                    return true;
                case ProxyHeaderOutcome.Incomplete when !result.IsCompleted:
                    input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    break;
                default:
                    input.AdvanceTo(result.Buffer.End);
                    return false;
            }
        }
    }
}
