using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mooring.Kernel.Tls;

namespace Mooring.Edge.Hub.Enrolment;

/// <summary>The hub's own certificate authority: signs the agents' certificates, and the hub's.</summary>
internal sealed class AgentAuthority : IDisposable
{
    private const int RsaBitsMin = 2048;
    private const int SerialBytes = 16;
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);

    private readonly DevelopmentAuthority _authority;
    private readonly X509Certificate2 _signer;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lifetime;

    private AgentAuthority(DevelopmentAuthority authority, X509Certificate2 signer, TlsMaterial server, TimeProvider time, TimeSpan lifetime) =>
        (_authority, _signer, Server, _time, _lifetime) = (authority, signer, server, time, lifetime);

    /// <summary>The hub's own certificate, with the authority for its clients.</summary>
    public TlsMaterial Server { get; }

    /// <summary>The authority's certificate, for agents to trust.</summary>
    public string AuthorityPath => _authority.AuthorityPath;

    public static AgentAuthority LoadOrCreate(HubOptions options, TimeProvider time)
    {
        Directory.CreateDirectory(options.Folder);
        var folder = Path.Combine(options.Folder, "ca");
        var authority = DevelopmentAuthority.LoadOrCreate(folder, time);
        var now = time.GetUtcNow();
        var signer = PemFiles.Load(new TlsFiles { Certificate = authority.AuthorityPath, Key = Path.Combine(folder, "ca.key") }, now);
        var server = PemFiles.Load(authority.Server([.. options.CertificateNames]), now);
        return new AgentAuthority(authority, signer.Certificate!, server, time, options.CertificateLifetime);
    }

    /// <summary>Makes a key and a certificate for an agent. The key is not kept.</summary>
    public (X509Certificate2 Certificate, string CertificatePem, string KeyPem) Issue(string id)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = SignClient(id, new PublicKey(key));
        return (certificate, certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Signs a request that an agent made for itself.</summary>
    /// <param name="request">PEM of a PKCS #10 request; its signature is checked.</param>
    /// <param name="id">Its common name.</param>
    /// <param name="why">Why it is not signed.</param>
    /// <returns>The certificate; null when the request is not good.</returns>
    public X509Certificate2? Sign(string request, out string id, out string why)
    {
        (id, why) = ("", "");
        CertificateRequest parsed;
        try
        {
            parsed = CertificateRequest.LoadSigningRequestPem(request, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            why = "csr: not a certificate request in PEM with a good signature";
            return null;
        }
        id = CommonNameOf(parsed.SubjectName) ?? "";
        if (id.Length == 0) why = "csr: has no common name";
        else if (!IsStrong(parsed.PublicKey)) why = $"csr: use RSA with {RsaBitsMin} bits or more, or ECDSA with P-256 or P-384";
        else return SignClient(id, parsed.PublicKey);
        return null;
    }

    /// <summary>Whether a certificate comes from this authority and is in date.</summary>
    public bool Verify(X509Certificate2 certificate, out string why) => Server.VerifyClient(certificate, _time.GetUtcNow(), out why);

    public static string FingerprintOf(X509Certificate2 certificate) => FingerprintOf(certificate.RawDataMemory.Span);

    public static string FingerprintOf(ReadOnlySpan<byte> certificate) => Convert.ToHexString(SHA256.HashData(certificate));

    public static string? CommonNameOf(X500DistinguishedName subject)
    {
        const string CommonName = "2.5.4.3";
        foreach (var part in subject.EnumerateRelativeDistinguishedNames(reversed: false))
            if (!part.HasMultipleElements && part.GetSingleElementType().Value == CommonName) return part.GetSingleElementValue();
        return null;
    }

    public void Dispose()
    {
        _authority.Dispose();
        _signer.Dispose();
    }

    private X509Certificate2 SignClient(string id, PublicKey key)
    {
        var request = new CertificateRequest(new X500DistinguishedName($"CN={id}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForEndEntity());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientAuthentication)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_signer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var now = _time.GetUtcNow();
        DateTimeOffset authorityBegin = _signer.NotBefore.ToUniversalTime(), authorityEnd = _signer.NotAfter.ToUniversalTime();
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] &= 0x7F; // RFC 5280 4.1.2.2: a serial number is positive
        using var own = _signer.GetECDsaPrivateKey()!;
        return request.Create(
            _signer.SubjectName, X509SignatureGenerator.CreateForECDsa(own), now - ClockSkew < authorityBegin ? authorityBegin : now - ClockSkew,
            now + _lifetime > authorityEnd ? authorityEnd : now + _lifetime, serial);
    }

    private static bool IsStrong(PublicKey key)
    {
        using var rsa = key.GetRSAPublicKey();
        if (rsa is not null) return rsa.KeySize >= RsaBitsMin;
        using var ecdsa = key.GetECDsaPublicKey();
        return ecdsa is { KeySize: 256 or 384 };
    }
}
