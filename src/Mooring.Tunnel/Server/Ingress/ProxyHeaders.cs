using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Proxying;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>
/// Takes the PROXY protocol header off connections that come through a trusted proxy; from then on they count as their visitor's. A proxy
/// that sends none, or a broken one, is not served: nobody would know for whom it speaks.
/// </summary>
internal sealed partial class ProxyHeaders(TunnelServerOptions options, VisitorRules rules, TunnelMetrics metrics, TimeProvider time, ILogger logger)
{
    private long _refused;

    /// <summary>Whether a connection from there begins with a header.</summary>
    public bool AreExpectedFrom(EndPoint? remote) => options.ExpectsProxyProtocol && remote is IPEndPoint { Address: var address } && rules.IsTrusted(address);

    /// <summary>For a listener of Kestrel, before TLS and HTTP.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (AreExpectedFrom(connection.RemoteEndPoint))
        {
            try
            {
                using var limit = new CancellationTokenSource(options.Limits.ProxyHeaderTimeout, time);
                connection.RemoteEndPoint = await connection.Transport.Input.ReadProxyHeaderAsync(limit.Token) ?? connection.RemoteEndPoint;
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                Refuse(connection.RemoteEndPoint, exception);
                connection.Abort(new ConnectionAbortedException("no PROXY header"));
                return;
            }
        }
        await next(connection);
    }

    /// <summary>For a connection to a TCP tunnel: who visits; null when it was refused.</summary>
    public async ValueTask<IPEndPoint?> ReadAsync(Socket socket)
    {
        var proxy = (IPEndPoint)socket.RemoteEndPoint!;
        try
        {
            using var limit = new CancellationTokenSource(options.Limits.ProxyHeaderTimeout, time);
            return await ReadAsync(socket, limit.Token) ?? proxy;
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            Refuse(proxy, exception);
            return null;
        }
    }

    // Looks before it takes, so that not a byte of what follows the header is lost.
    private static async Task<IPEndPoint?> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[ProxyHeaderReader.BytesMax];
        var taken = 0;
        while (true)
        {
            var seen = await socket.ReceiveAsync(buffer.AsMemory(taken), SocketFlags.Peek, cancellationToken);
            if (seen == 0) throw new IOException("the connection ended inside its PROXY header");
            var isWhole = ProxyHeaderReader.TryRead(buffer.AsSpan(0, taken + seen), out var header, out var length);
            if (!isWhole) length = taken + seen;
            taken += await socket.ReceiveAsync(buffer.AsMemory(taken, length - taken), SocketFlags.None, cancellationToken);
            if (isWhole) return header.Source;
        }
    }

    private void Refuse(EndPoint? proxy, Exception why)
    {
        metrics.Rejected("proxy-header");
        var count = Interlocked.Increment(ref _refused);
        if (long.IsPow2(count)) LogRefused(logger, proxy, why is OperationCanceledException ? "no PROXY header in time" : why.Message, count);
    }

    [LoggerMessage(6012, LogLevel.Warning, "a connection of the trusted proxy {Proxy} was closed: {Why} ({Count} so far)")]
    private static partial void LogRefused(ILogger logger, EndPoint? proxy, string why, long count);
}
