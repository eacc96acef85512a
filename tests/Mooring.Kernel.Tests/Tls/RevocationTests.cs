using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Tls;

/// <summary>Revocation lists, made by the framework's own builder (RFC 5280).</summary>
public sealed class RevocationTests : MooringTest
{
    // Handshakes are judged by the system's clock.
    private static readonly DateTimeOffset Start = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-crl-").FullName;

    private string ListPath => Path.Combine(_folder, "crl.pem");

    public override async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await base.DisposeAsync();
    }

    [Theory]
    [InlineData("ECDSA", "SHA256")]
    [InlineData("ECDSA", "SHA384")]
    [InlineData("ECDSA", "SHA512")]
    [InlineData("RSA", "SHA256")]
    [InlineData("RSA", "SHA384")]
    [InlineData("RSA", "SHA512")]
    public async Task RevokedClient_IsRefused_AndTheOthersAreNot(string key, string hash)
    {
        using var authority = new Authority(_folder, key, new HashAlgorithmName(hash));
        var (good, bad) = (authority.Issue("good", serial: 1), authority.Issue("bad", serial: 0xFEDCBA9876));
        authority.Revoke(ListPath, bad);
        var server = Load(authority.Server with { Revocations = ListPath });

        Assert.Equal("CN=good", await Handshake.RunAsync(server, ClientCertificates.Required, Load(good), "localhost", TestTimeout));
        await Assert.ThrowsAsync<AuthenticationException>(
            () => Handshake.RunAsync(server, ClientCertificates.Required, Load(bad), "localhost", TestTimeout));
        Assert.True(server.VerifyClient(Load(good).Certificate!, Start, out _));
        Assert.False(server.VerifyClient(Load(bad).Certificate!, Start, out var why));
        Assert.Equal("it was revoked", why);
    }

    [Fact]
    public async Task ChangedList_HoldsForNewConnections()
    {
        using var authority = new Authority(_folder, "ECDSA", HashAlgorithmName.SHA256);
        var client = authority.Issue("car", serial: 7);
        authority.Revoke(ListPath);
        using var reloadable = new ReloadableCertificate(
            authority.Server with { Revocations = ListPath }, new TestClock(Start), LoggerFactory.CreateLogger("tls"));
        Assert.Equal("CN=car", await Handshake.RunAsync(reloadable.Current, ClientCertificates.Required, Load(client), "localhost", TestTimeout));

        authority.Revoke(ListPath, client);
        Assert.Equal(ReloadResult.Reloaded, reloadable.ReloadIfChanged());

        await Assert.ThrowsAsync<AuthenticationException>(
            () => Handshake.RunAsync(reloadable.Current, ClientCertificates.Required, Load(client), "localhost", TestTimeout));
    }

    [Fact]
    public void ListThatIsOutOfDate_IsAWarning_AndHolds()
    {
        using var authority = new Authority(_folder, "ECDSA", HashAlgorithmName.SHA256);
        var client = authority.Issue("car", serial: 7);
        authority.Revoke(ListPath, client);

        var server = PemFiles.Load(authority.Server with { Revocations = ListPath }, Start.AddDays(31));

        Assert.Equal($"a revocation list in '{ListPath}' should have been renewed on {Start.AddDays(30):yyyy-MM-dd} 00:00 UTC", Assert.Single(server.Warnings));
        Assert.False(server.VerifyClient(Load(client).Certificate!, Start.AddDays(31), out _));
    }

    [Fact]
    public void WrongLists_AreOneLineEachThatNamesTheFile()
    {
        using var authority = new Authority(Path.Combine(_folder, "a"), "ECDSA", HashAlgorithmName.SHA256);
        using var sameName = new Authority(Path.Combine(_folder, "b"), "ECDSA", HashAlgorithmName.SHA256);
        using var other = new Authority(Path.Combine(_folder, "c"), "RSA", HashAlgorithmName.SHA256, "CN=another");

        AssertWrong("does not exist", authority.Server);
        File.WriteAllText(ListPath, "nothing");
        AssertWrong("contains no revocation list (no 'BEGIN X509 CRL' line)", authority.Server);
        File.WriteAllText(ListPath, "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
        AssertWrong("contains a damaged revocation list", authority.Server);
        sameName.Revoke(ListPath);
        AssertWrong("contains a revocation list that its authority has not signed", authority.Server);
        other.Revoke(ListPath);
        AssertWrong("contains a revocation list of 'CN=another', which is none of the authorities of the clients", authority.Server);
        authority.Revoke(ListPath);
        AssertWrong("are given without the authorities that issue them", authority.Server with { Authorities = null });
    }

    [Fact]
    public void ListCutAnywhereOrWithAnyByteChanged_IsRefused()
    {
        using var authority = new Authority(_folder, "ECDSA", HashAlgorithmName.SHA256);
        authority.Revoke(ListPath, authority.Issue("car", serial: 7));
        var pem = File.ReadAllText(ListPath);
        var der = Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
        var authorities = Load(authority.Server).Authorities!;

        for (var i = 0; i < der.Length; i++)
        {
            Assert.Throws<TlsMaterialException>(() => RevocationList.Parse(der[..i], authorities));
            var changed = (byte[])der.Clone();
            changed[i] ^= 0x10;
            Assert.Throws<TlsMaterialException>(() => RevocationList.Parse(changed, authorities));
        }
    }

    private static TlsMaterial Load(TlsFiles files) => PemFiles.Load(files, Start);

    private void AssertWrong(string expected, TlsFiles files)
    {
        var message = Assert.Throws<TlsMaterialException>(() => Load(files with { Revocations = ListPath })).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains(ListPath, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    /// <summary>An authority of the framework's own making, whose certificates have the serial numbers that a test wants.</summary>
    private sealed class Authority : IDisposable
    {
        private readonly string _folder;
        private readonly AsymmetricAlgorithm _key;
        private readonly X509Certificate2 _certificate;
        private readonly HashAlgorithmName _hash;

        internal Authority(string folder, string key, HashAlgorithmName hash, string name = "CN=authority")
        {
            Directory.CreateDirectory(folder);
            (_folder, _hash) = (folder, hash);
            _key = key == "RSA" ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = Request(name, _key);
            request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority());
            _certificate = request.CreateSelfSigned(Start.AddDays(-1), Start.AddYears(1));
            File.WriteAllText(AuthorityPath, _certificate.ExportCertificatePem());
            Server = Issue("localhost", serial: 2, purpose: "1.3.6.1.5.5.7.3.1");
        }

        internal TlsFiles Server { get; }

        private string AuthorityPath => Path.Combine(_folder, "ca.pem");

        internal TlsFiles Issue(string name, long serial, string purpose = "1.3.6.1.5.5.7.3.2")
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = Request("CN=" + name, key);
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            var number = Convert.FromHexString(serial.ToString("X16", System.Globalization.CultureInfo.InvariantCulture));
            var generator = _key is RSA rsa
                ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa((ECDsa)_key);
            using var certificate = request.Create(_certificate.SubjectName, generator, Start.AddDays(-1), Start.AddYears(1), number);
            var files = new TlsFiles
            {
                Certificate = Path.Combine(_folder, name + ".pem"), Key = Path.Combine(_folder, name + ".key"), Authorities = AuthorityPath,
            };
            File.WriteAllText(files.Certificate, certificate.ExportCertificatePem());
            File.WriteAllText(files.Key, key.ExportPkcs8PrivateKeyPem());
            return files;
        }

        internal void Revoke(string path, params TlsFiles[] revoked)
        {
            var builder = new CertificateRevocationListBuilder();
            foreach (var files in revoked)
            {
                using var certificate = X509CertificateLoader.LoadCertificateFromFile(files.Certificate!);
                builder.AddEntry(certificate, Start);
            }

            var list = builder.Build(_certificate, 1, Start.AddDays(30), _hash, RSASignaturePadding.Pkcs1, Start);
            File.WriteAllText(path, PemEncoding.WriteString("X509 CRL", list));
        }

        public void Dispose()
        {
            _key.Dispose();
            _certificate.Dispose();
        }

        private CertificateRequest Request(string name, AsymmetricAlgorithm key) => key is RSA rsa
            ? new CertificateRequest(name, rsa, _hash, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)key, _hash);
    }
}
