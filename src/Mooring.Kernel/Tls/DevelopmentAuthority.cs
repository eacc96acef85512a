using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mooring.Kernel.Files;

namespace Mooring.Kernel.Tls;

/// <summary>
/// A certificate authority of one's own, in a folder, so that TLS and mutual TLS can be tried without any preparation. Made for
/// one machine and its tests: its key lies beside the certificates, readable by its owner only.
/// </summary>
public sealed class DevelopmentAuthority : IDisposable
{
    /// <summary>Certificates are issued for this long: browsers refuse longer ones.</summary>
    public static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(397);

    /// <summary>A certificate with less time left than this is issued anew.</summary>
    public static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly X509Certificate2 _authority;
    private readonly Lock _issuing = new();

    private DevelopmentAuthority(string folder, TimeProvider time, X509Certificate2 authority)
    {
        (_folder, _time, _authority) = (folder, time, authority);
    }

    /// <summary>The authority's certificate, for those who are to trust it.</summary>
    public string AuthorityPath => Path.Combine(_folder, "ca.pem");

    /// <summary>Loads the authority of a folder, or makes one.</summary>
    /// <param name="folder">The folder; it is made when missing, for its owner only.</param>
    /// <param name="time">Clock for the dates.</param>
    /// <returns>The authority.</returns>
    /// <exception cref="TlsMaterialException">There is one but it cannot be used; it is not replaced, others may trust it.</exception>
    public static DevelopmentAuthority LoadOrCreate(string folder, TimeProvider time)
    {
        CreateFolder(folder);
        var (path, keyPath) = (Path.Combine(folder, "ca.pem"), Path.Combine(folder, "ca.key"));
        if (File.Exists(path))
        {
            var material = PemFiles.Load(new TlsFiles { Certificate = path, Key = keyPath }, time.GetUtcNow());
            return new DevelopmentAuthority(folder, time, material.Certificate!);
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Mooring development CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority(pathLengthConstraint: 0));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        var authority = request.CreateSelfSigned(now - ClockSkew, now + AuthorityLifetime);
        // The key first: a certificate without its key would count as a damaged authority at the next start.
        AtomicFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem() + "\n", AtomicFileOptions.Private);
        AtomicFile.Write(path, authority.ExportCertificatePem() + "\n", AtomicFileOptions.Private);
        return new DevelopmentAuthority(folder, time, authority);
    }

    /// <summary>The server's certificate for this machine: localhost, 127.0.0.1 and ::1, and further names if wanted.</summary>
    /// <param name="names">Further host names or addresses.</param>
    /// <returns>Its files, with the authority; issued now unless good ones are there.</returns>
    public TlsFiles Server(params ReadOnlySpan<string> names)
    {
        string[] all = ["localhost", "127.0.0.1", "::1", .. names];
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in all.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }
        return Issue(_folder, "server", "localhost", ServerAuthentication, alternatives.Build());
    }

    /// <summary>A client's certificate.</summary>
    /// <param name="name">The client's name, its subject: letters, digits, dot, hyphen and underscore.</param>
    /// <returns>Its files, with the authority; issued now unless good ones are there.</returns>
    public TlsFiles Client(string name)
    {
        if (name.Length is 0 or > 64 || name[0] == '.' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw new TlsMaterialException($"'{name}' cannot be a client's name: use 1 to 64 letters, digits, '.', '-' and '_'");
        var folder = Path.Combine(_folder, "clients");
        CreateFolder(folder);
        return Issue(folder, name, name, ClientAuthentication, alternatives: null);
    }

    /// <inheritdoc/>
    public void Dispose() => _authority.Dispose();

    private TlsFiles Issue(string folder, string file, string subject, string purpose, X509Extension? alternatives)
    {
        var files = new TlsFiles
        {
            Certificate = Path.Combine(folder, file + ".pem"),
            Key = Path.Combine(folder, file + ".key"),
            Authorities = AuthorityPath,
        };
        lock (_issuing)
        {
            if (IsGood(files, purpose, alternatives)) return files;
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var certificate = Sign(key, subject, purpose, alternatives);
            AtomicFile.Write(files.Key, key.ExportPkcs8PrivateKeyPem() + "\n", AtomicFileOptions.Private);
            AtomicFile.Write(files.Certificate, certificate.ExportCertificatePem() + "\n", AtomicFileOptions.Private);
            return files;
        }
    }

    private X509Certificate2 Sign(ECDsa key, string subject, string purpose, X509Extension? alternatives)
    {
        var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForEndEntity());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            _authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (alternatives is not null) request.CertificateExtensions.Add(alternatives);
        var now = _time.GetUtcNow();
        var notAfter = now + LeafLifetime;
        if (notAfter > _authority.NotAfter.ToUniversalTime()) notAfter = _authority.NotAfter.ToUniversalTime();
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7F; // RFC 5280 4.1.2.2: a serial number is positive
        return request.Create(_authority, now - ClockSkew < _authority.NotBefore ? _authority.NotBefore : now - ClockSkew, notAfter, serial);
    }

    private bool IsGood(TlsFiles files, string purpose, X509Extension? alternatives)
    {
        if (!File.Exists(files.Certificate) || !File.Exists(files.Key)) return false;
        try
        {
            using var certificate = PemFiles.Load(files, _time.GetUtcNow()).Certificate!;
            var names = certificate.Extensions["2.5.29.17"]?.RawData;
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(_authority);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
            chain.ChainPolicy.VerificationTime = (_time.GetUtcNow() + RenewBefore).UtcDateTime;
            return chain.Build(certificate) && names.AsSpan().SequenceEqual(alternatives?.RawData);
        }
        catch (TlsMaterialException)
        {
            // Half of a pair, or somebody edited it: a development certificate can simply be issued again.
            return false;
        }
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
