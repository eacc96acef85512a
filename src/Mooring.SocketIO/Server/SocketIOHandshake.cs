using System.Net;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Mooring.SocketIO;

/// <summary>The request with which a client opened its connection. It stays the same when the connection moves to a WebSocket.</summary>
public sealed class SocketIOHandshake
{
    internal SocketIOHandshake(HttpContext context, DateTimeOffset openedAt)
    {
        OpenedAt = openedAt;
        RemoteEndPoint = context.Connection.RemoteIpAddress is { } address ? new IPEndPoint(address, context.Connection.RemotePort) : null;
        IsSecure = context.Request.IsHttps;
        User = context.User;
        Headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        Query = context.Request.Query.ToDictionary(q => q.Key, q => q.Value.ToString(), StringComparer.Ordinal);
        // A copy: the certificate of the TLS connection dies with that connection, and this may outlive it.
        ClientCertificate = context.Connection.ClientCertificate?.RawDataMemory.ToArray() ?? ReadOnlyMemory<byte>.Empty;
    }

    /// <summary>When the request came.</summary>
    public DateTimeOffset OpenedAt { get; }

    /// <summary>Where it came from.</summary>
    public IPEndPoint? RemoteEndPoint { get; }

    /// <summary>Whether it came over TLS.</summary>
    public bool IsSecure { get; }

    /// <summary>
    /// The certificate that the client showed, in DER; empty when it showed none. Later requests of the same connection must come over TLS
    /// connections with the same one. As bytes, since a certificate that has been read costs ten times as much for as long as the client is connected.
    /// </summary>
    public ReadOnlyMemory<byte> ClientCertificate { get; }

    /// <summary>Who the framework's authentication says it is.</summary>
    public ClaimsPrincipal User { get; }

    /// <summary>Headers of the request.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>Query of the request.</summary>
    public IReadOnlyDictionary<string, string> Query { get; }

    /// <summary>Reads <see cref="ClientCertificate"/>.</summary>
    /// <returns>The certificate, which is the caller's; null when the client showed none.</returns>
    public X509Certificate2? ReadClientCertificate() => ClientCertificate.IsEmpty ? null : X509CertificateLoader.LoadCertificate(ClientCertificate.Span);

    /// <summary>Whether a later request shows the same certificate, or none as this one did.</summary>
    internal bool IsSamePeer(HttpContext context)
    {
        if (ClientCertificate.IsEmpty) return true;
        return context.Connection.ClientCertificate is { } certificate && certificate.RawDataMemory.Span.SequenceEqual(ClientCertificate.Span);
    }
}
