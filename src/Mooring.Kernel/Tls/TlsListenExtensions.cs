using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Mooring.Kernel.Tls;

/// <summary>TLS on a listener of Kestrel, whatever protocol is spoken inside.</summary>
public static class TlsListenExtensions
{
    /// <summary>A peer that does not finish its handshake in this time is closed. Default 10 s: slow mobile links need a few round trips.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Asks every connection for TLS with what the certificate says at that moment, so a renewal needs no restart. Call it before
    /// the handler of the protocol.
    /// </summary>
    /// <param name="listen">The listener.</param>
    /// <param name="certificate">The server's certificate and the authorities of its clients.</param>
    /// <param name="clients">What is wanted of the clients' certificates.</param>
    /// <param name="protocols">Versions that are spoken.</param>
    /// <returns>The listener.</returns>
    public static ListenOptions UseTls(
        this ListenOptions listen, ReloadableCertificate certificate, ClientCertificates clients = ClientCertificates.NotAsked,
        SslProtocols protocols = SslProtocols.Tls12 | SslProtocols.Tls13) =>
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = _ =>
            {
                var options = certificate.ServerOptions(clients);
                options.EnabledSslProtocols = protocols;
                return new ValueTask<SslServerAuthenticationOptions>(options);
            },
        });
}
