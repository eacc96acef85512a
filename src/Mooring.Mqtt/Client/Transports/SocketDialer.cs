using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Mooring.Kernel.Tls;

namespace Mooring.Mqtt.Client.Transports;

/// <summary>TCP, and TLS over it.</summary>
internal sealed class SocketDialer(MqttClientOptions options, ReloadableCertificate? tls) : IDialer
{
    private const int DefaultPort = 1883;
    private const int DefaultTlsPort = 8883;

    private readonly DnsEndPoint _server = new(
        options.Server.IdnHost, options.Server.Port > 0 ? options.Server.Port : options.UsesTls ? DefaultTlsPort : DefaultPort);

    public async ValueTask<ClientTransport> DialAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_server, cancellationToken).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            if (tls is null)
            {
                return new ClientTransport(stream, _ =>
                {
                    socket.Shutdown(SocketShutdown.Send);
                    return default;
                });
            }
            return await AuthenticateAsync(stream, tls, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => tls?.Dispose();

    private async ValueTask<ClientTransport> AuthenticateAsync(
        NetworkStream inner, ReloadableCertificate certificate, CancellationToken cancellationToken)
    {
        certificate.ReloadIfChanged();
        var stream = new SslStream(inner);
        var wanted = certificate.Current.ClientOptions(options.TlsServerName ?? options.Server.IdnHost);
        // Brokers that serve HTTP on the same port tell MQTT by its name.
        wanted.ApplicationProtocols = [options.UsesWebSocket ? SslApplicationProtocol.Http11 : new SslApplicationProtocol("mqtt")];
        await stream.AuthenticateAsClientAsync(wanted, cancellationToken).ConfigureAwait(false);
        return new ClientTransport(stream, async _ => await stream.ShutdownAsync().ConfigureAwait(false));
    }
}
