using System.Net;
using System.Net.Sockets;

namespace Mooring.Tunnel.Client.Origin;

/// <summary>An application behind a TCP port. Without a host it is looked for on 127.0.0.1 and on ::1, where it was last found first.</summary>
internal sealed class TcpOrigin(string? host, int port) : IOrigin
{
    private static readonly IPAddress[] s_loopback = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    /// <summary>Loopback answers at once; a host beyond it gets the time of a few lost packets.</summary>
    internal static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30);

    private volatile IPAddress? _found;

    public string Authority => $"{host ?? "localhost"}:{port}";

    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<IPAddress> candidates = host is null or "localhost" ? s_loopback : await ResolveAsync(host, cancellationToken);
        if (_found is { } found) candidates = [found, .. candidates.Where(address => !address.Equals(found))];
        SocketException? last = null;
        foreach (var address in candidates)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(ConnectTimeout);
                await socket.ConnectAsync(new IPEndPoint(address, port), limit.Token);
                _found = address;
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException exception)
            {
                last = exception;
                socket.Dispose();
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                last = new SocketException((int)SocketError.TimedOut);
                socket.Dispose();
            }
        }
        throw new OriginException(last?.SocketErrorCode == SocketError.ConnectionRefused
            ? $"nothing listens on {Authority}"
            : $"{Authority} cannot be reached: {last?.SocketErrorCode}");
    }

    private static async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(host, cancellationToken);
        }
        catch (SocketException)
        {
            throw new OriginException($"there is no host '{host}'");
        }
    }
}
