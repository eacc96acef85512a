using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Mooring.Kernel.Tls;

namespace Mooring.Mqtt.Broker.Transports.Kestrel;

/// <summary>A listener of the broker that the host's Kestrel serves: TLS, WebSocket, or plain TCP where there is no epoll.</summary>
internal sealed class KestrelListener(MqttBroker broker, MqttListener listener, ReloadableCertificate? certificate)
{
    private static readonly SslApplicationProtocol Mqtt = new("mqtt");
    private ListenOptions? _endpoint;

    internal MqttListener Listener => listener;

    /// <summary>Serves what comes in; one for all connections, for it counts them.</summary>
    internal MqttConnectionHandler Handler { get; } = new(broker, listener);

    /// <summary>The address that was bound, once it was.</summary>
    internal IPEndPoint LocalEndPoint => _endpoint?.IPEndPoint ?? listener.EndPoint;

    internal bool LetsAnonymousIn => broker.Access.LetsAnonymousIn(listener);

    internal TimeProvider Time => broker.Time;

    internal ReloadableCertificate? Certificate => certificate;

    internal void Bind(KestrelServerOptions kestrel) => kestrel.Listen(listener.EndPoint, endpoint =>
    {
        _endpoint = endpoint;
        if (certificate is not null) endpoint.UseHttps(Handshake(certificate));
        if (listener.IsWebSocket)
        {
            endpoint.Protocols = HttpProtocols.Http1;
            // The request finds the listener that it came in on, whatever its headers say.
            endpoint.Use(next => connection =>
            {
                connection.Features.Set(this);
                return next(connection);
            });
        }
        else
        {
            endpoint.Run(Handler.OnConnectedAsync);
        }
    });

    private TlsHandshakeCallbackOptions Handshake(ReloadableCertificate current) => new()
    {
        HandshakeTimeout = TlsListenExtensions.HandshakeTimeout,
        OnConnection = _ =>
        {
            var options = current.ServerOptions(listener.ClientCertificates);
            options.ApplicationProtocols = [listener.IsWebSocket ? SslApplicationProtocol.Http11 : Mqtt];
            return ValueTask.FromResult(options);
        },
    };
}
