using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.Http;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Client;

/// <summary>Opens WebSockets to the server.</summary>
internal static class WebSocketDialer
{
    /// <summary>Socket, TLS and upgrade together.</summary>
    internal static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(20);

    /// <exception cref="TunnelException">The server cannot be reached, or does not want a WebSocket.</exception>
    public static async Task<Stream> DialAsync(
        ControlAddress address, string path, string? bearer, ServerTrust trust, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(OpenTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        string? certificateProblem = null;
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, both.Token);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (address.IsTls) stream = await SecureAsync(stream, address, trust, problem => certificateProblem = problem, both.Token);
            await UpgradeAsync(stream, address, path, bearer, both.Token);
            return stream;
        }
        catch (Exception exception)
        {
            if (stream is null) socket.Dispose();
            else await stream.DisposeAsync();
            throw exception switch
            {
                TunnelException or OperationCanceledException when cancellationToken.IsCancellationRequested || exception is TunnelException => exception,
                OperationCanceledException => Unreachable(address, "no answer in time", exception),
                SocketException socketException => Unreachable(address, Describe(socketException), exception),
                AuthenticationException when certificateProblem is null => Unreachable(address, $"it does not speak TLS ({exception.Message.TrimEnd('.')}); ws://{address.Authority} is for a server without", exception),
                AuthenticationException => Unreachable(address, $"its certificate is not trusted ({certificateProblem}); name the authority that issued it, or accept any certificate, when that is wanted", exception),
                IOException => Unreachable(address, exception.Message, exception),
                TunnelProtocolException => Unreachable(address, "it does not answer in HTTP", exception),
                _ => exception,
            };
        }
    }

    private static TunnelException Unreachable(ControlAddress address, string why, Exception exception) =>
        new($"{address}: {why}", exception is SocketException { SocketErrorCode: SocketError.ConnectionRefused } ? "REFUSED" : "", TunnelOutcome.Unreachable, exception);

    private static string Describe(SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.HostNotFound or SocketError.NoData => "there is no such host",
        SocketError.TimedOut => "no answer in time",
        var other => other.ToString(),
    };

    private static string Describe(X509Chain? chain, SslPolicyErrors errors) =>
        errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? "it is for another name"
        : chain?.ChainStatus is { Length: > 0 } problems ? string.Join(", ", problems.Select(problem => problem.StatusInformation.Trim()).Distinct())
        : errors.ToString();

    private static async Task<Stream> SecureAsync(Stream stream, ControlAddress address, ServerTrust trust, Action<string> certificateSeen, CancellationToken cancellationToken)
    {
        var secure = new SslStream(stream);
        var options = trust.Options(address.Host);
        options.ApplicationProtocols = [SslApplicationProtocol.Http11];
        var judge = options.RemoteCertificateValidationCallback;
        options.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            certificateSeen(Describe(chain, errors));
            return judge?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
        };
        await secure.AuthenticateAsClientAsync(options, cancellationToken);
        return secure;
    }

    private static async Task UpgradeAsync(
        Stream stream, ControlAddress address, string path, string? bearer, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        var request = new StringBuilder()
            .Append($"GET {path} HTTP/1.1\r\nHost: {address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            .Append($"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nUser-Agent: mooring\r\n");
        if (bearer is not null) request.Append($"Authorization: Bearer {bearer}\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request.Append("\r\n").ToString()), cancellationToken);
        // One byte at a time at the end of the head would be needed to never read beyond it; the server speaks only after us, so nothing is there.
        var buffer = new byte[8 * 1024];
        var length = 0;
        while (true)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (count == 0) throw new IOException($"the connection was closed during the upgrade{(address.IsTls ? "" : $"; wss://{address.Authority} is for a server with TLS")}");
            length += count;
            if (IsUpgraded(buffer.AsSpan(0, length), address, key)) return;
            if (length == buffer.Length) throw new IOException("the answer to the upgrade is too long");
        }
    }

    private static bool IsUpgraded(ReadOnlySpan<byte> bytes, ControlAddress address, string key)
    {
        if (!HttpResponseHead.TryRead(bytes, out var head, out var length)) return false;
        if (head.Status != 101)
        {
            var outcome = head.Status is 502 or 503 or 504 ? TunnelOutcome.Gateway
                : head.Status is 401 or 403 ? TunnelOutcome.Terminal : TunnelOutcome.Unreachable;
            throw new TunnelException($"{address}: the server answered {head.Status} instead of a WebSocket{(head.Status is >= 500 or 429 ? "" : "; is it a tunnel server?")}", $"HTTP_{head.Status}", outcome);
        }
        var accept = WebSocketFraming.Accept(key);
        var fields = new HttpFieldLines(head.Fields);
        while (fields.Read())
        {
            if (HttpField.Is(fields.Name, "sec-websocket-accept"u8) && fields.Value.SequenceEqual(Encoding.ASCII.GetBytes(accept)))
                return length == bytes.Length ? true : throw new IOException("the server spoke before it was asked");
        }
        throw new IOException("the upgrade was answered for another key");
    }
}
