using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Doctor;

/// <summary>What runs: does the broker answer a CONNECT, is every part ready.</summary>
internal static class RunningCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // CONNECT of MQTT 3.1.1, clean session, client id "mooring-doctor" (MQTT-3.1).
    private static ReadOnlyMemory<byte> Connect { get; } =
        new byte[] { 0x10, 26, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 60, 0, 14 }.Concat("mooring-doctor"u8.ToArray()).ToArray();

    /// <summary>Asks the first listener that needs no WebSocket.</summary>
    internal static async Task<Finding> BrokerAsync(MqttBrokerOptions options, CancellationToken cancellationToken)
    {
        const string Name = "broker";
        var listener = options.Listeners.FirstOrDefault(one => one.Transport is MqttTransport.Tcp or MqttTransport.Tls);
        if (listener is null || listener.EndPoint.Port == 0) return Finding.Good(Name, "it has no fixed TCP listener to ask");
        var target = Reachable(listener.EndPoint);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using var tcp = new TcpClient(target.AddressFamily);
            await tcp.ConnectAsync(target, limit.Token);
            await using var stream = listener.Transport == MqttTransport.Tls ? await SecureAsync(tcp.GetStream(), limit.Token) : tcp.GetStream();
            await stream.WriteAsync(Connect, limit.Token);
            var answer = new byte[4];
            await stream.ReadExactlyAsync(answer, limit.Token);
            // CONNACK; codes 4 and 5 say that it wants credentials, which is an answer too.
            return answer[0] == 0x20 && answer[3] is 0 or 4 or 5
                ? Finding.Good(Name, $"{target} answers")
                : Finding.Bad(Name, $"{target} answers, but not as an MQTT broker", "see what listens there");
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Finding.Bad(Name, $"{target} does not answer: {(exception is OperationCanceledException ? "no answer in 5 seconds" : exception.Message)}", "see the log of 'mooring up'");
        }
    }

    /// <summary>Asks <c>/health/ready</c>.</summary>
    internal static async Task<Finding> HealthAsync(Access.AccessOptions options, CancellationToken cancellationToken)
    {
        const string Name = "health";
        if (options.EndPoint.Port == 0) return Finding.Good(Name, "the operators' port is chosen by the system");
        var url = $"{options.Scheme}://{Reachable(options.EndPoint)}/health/ready";
        // Whose certificate it is was looked at above; here only the answer counts.
        using var handler = new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true }, UseProxy = false };
        using var http = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri(url), cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            return answer.IsSuccessStatusCode ? Finding.Good(Name, $"{url}: every part is ready") : Finding.Bad(Name, $"{url}: {text}", "see the log of 'mooring up'");
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Finding.Bad(Name, $"{url}: {exception.Message}", "see the log of 'mooring up'");
        }
    }

    private static IPEndPoint Reachable(IPEndPoint bound) =>
        IPAddress.Any.Equals(bound.Address) ? new IPEndPoint(IPAddress.Loopback, bound.Port)
        : IPAddress.IPv6Any.Equals(bound.Address) ? new IPEndPoint(IPAddress.IPv6Loopback, bound.Port) : bound;

    private static async Task<Stream> SecureAsync(Stream stream, CancellationToken cancellationToken)
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = static (_, _, _, _) => true }, cancellationToken);
        return secure;
    }
}
