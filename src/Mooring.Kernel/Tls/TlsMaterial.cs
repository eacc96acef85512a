using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mooring.Kernel.Tls;

/// <summary>Certificates and keys as they were at one moment, checked to belong together. Immutable.</summary>
public sealed class TlsMaterial
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly IReadOnlyList<RevocationList> _revocations;

    internal TlsMaterial(
        X509Certificate2? certificate, X509Certificate2Collection intermediates, X509Certificate2Collection? authorities,
        IReadOnlyList<RevocationList> revocations, IReadOnlyList<string> warnings)
    {
        _revocations = revocations;
        Certificate = certificate;
        Intermediates = intermediates;
        Authorities = authorities;
        Warnings = warnings;
        // Offline: no issuer is fetched from the network during a handshake.
        if (certificate is not null) Context = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
    }

    /// <summary>The certificate with its private key; null when there is none.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>What is sent with the certificate.</summary>
    public X509Certificate2Collection Intermediates { get; }

    /// <summary>The authorities that the other end's certificate must come from; null for those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; }

    /// <summary>One line each: a certificate that has expired, or is not valid yet.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The certificate as the TLS stack wants it, built once for all connections.</summary>
    public SslStreamCertificateContext? Context { get; }

    /// <summary>Options for the server's end.</summary>
    /// <param name="clients">What is wanted of the clients.</param>
    /// <returns>New options, which the caller may change.</returns>
    public SslServerAuthenticationOptions ServerOptions(ClientCertificates clients = ClientCertificates.NotAsked)
    {
        if (Context is null) throw new InvalidOperationException("a server needs a certificate");
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = Context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ClientCertificateRequired = clients != ClientCertificates.NotAsked,
        };
        if (clients == ClientCertificates.NotAsked) return options;
        options.CertificateChainPolicy = Policy(ClientAuthentication);
        options.RemoteCertificateValidationCallback = (_, _, chain, errors) =>
            (errors == SslPolicyErrors.None && !IsRevoked(chain))
            || (clients == ClientCertificates.Optional && errors == SslPolicyErrors.RemoteCertificateNotAvailable);
        return options;
    }

    /// <summary>Options for the client's end. The server's name is checked as well as its certificate.</summary>
    /// <param name="targetHost">The name that the server's certificate must carry.</param>
    /// <returns>New options, which the caller may change.</returns>
    public SslClientAuthenticationOptions ClientOptions(string targetHost) => new()
    {
        TargetHost = targetHost,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateChainPolicy = Policy(ServerAuthentication),
        ClientCertificateContext = Context,
    };

    /// <summary>Whether a client's certificate comes from one of <see cref="Authorities"/>, is in date and is meant for clients.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="at">The moment of the check.</param>
    /// <param name="why">The reason when it is not good.</param>
    /// <returns>True when it is good.</returns>
    public bool VerifyClient(X509Certificate2 certificate, DateTimeOffset at, out string why)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(ClientAuthentication) };
        chain.ChainPolicy.VerificationTime = at.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        var good = chain.Build(certificate);
        if (good && IsRevoked(chain))
        {
            why = "it was revoked";
            return false;
        }
        why = good ? "" : string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct());
        return good;
    }

    /// <summary>The authority's own certificate is not asked about: whoever trusts it decides.</summary>
    private bool IsRevoked(X509Chain? chain) =>
        _revocations.Count > 0 && chain is not null
        && chain.ChainElements.SkipLast(1).Any(element => _revocations.Any(list => list.Contains(element.Certificate)));

    private X509ChainPolicy Policy(Oid purpose)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(purpose);
        if (Authorities is null) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        foreach (var authority in Authorities)
        {
            // Only a self-signed certificate can be a root; the others of a bundle help to build the chain.
            if (authority.SubjectName.RawData.AsSpan().SequenceEqual(authority.IssuerName.RawData)) policy.CustomTrustStore.Add(authority);
            else policy.ExtraStore.Add(authority);
        }
        return policy;
    }
}
