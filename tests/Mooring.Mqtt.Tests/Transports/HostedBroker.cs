using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Transports;

/// <summary>A broker in a host, with the listeners that a test wants and certificates of an authority made for it.</summary>
internal sealed class HostedBroker : IAsyncDisposable
{
    private readonly WebApplication _host;

    private HostedBroker(WebApplication host) => _host = host;

    internal MqttBroker Broker => _host.Services.GetRequiredService<MqttBroker>();

    internal static async Task<HostedBroker> StartAsync(LogCollector log, MqttBrokerOptions options, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddMqttBroker(options);
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new HostedBroker(host);
    }

    internal IPEndPoint Address(MqttTransport transport) => Broker.Bound.Single(listener => listener.Transport == transport).EndPoint;

    internal async Task<Socket> ConnectAsync(MqttTransport transport, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Address(transport), cancellationToken);
        return socket;
    }

    /// <summary>A TLS connection that shows <paramref name="certificate"/>; throws when the server does not want it.</summary>
    internal async Task<SslStream> SecureAsync(MqttTransport transport, TlsFiles? certificate, CancellationToken cancellationToken)
    {
        var stream = new NetworkStream(await ConnectAsync(transport, cancellationToken), ownsSocket: true);
        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        using var own = certificate is null ? null : X509Certificate2.CreateFromPemFile(certificate.Certificate!, certificate.Key);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            // The server is not what is tried here.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ClientCertificateContext = own is null ? null : SslStreamCertificateContext.Create(own, null, offline: true),
        };
        await secure.AuthenticateAsClientAsync(options, cancellationToken);
        return secure;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
