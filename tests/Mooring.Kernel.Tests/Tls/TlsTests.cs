using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Tls;

public sealed class TlsTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-tls-").FullName;
    private readonly ILogger _logger;

    public TlsTests() => _logger = LoggerFactory.CreateLogger("tls");

    private DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public override async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await base.DisposeAsync();
    }

    [Fact]
    public async Task ServerAndClient_OfTheSameAuthority_TrustEachOther()
    {
        using var authority = Authority("a");
        var (server, client) = (Load(authority.Server()), Load(authority.Client("car-1")));
        foreach (var host in new[] { "localhost", "127.0.0.1", "::1" })
            Assert.Equal("CN=car-1", await HandshakeAsync(server, ClientCertificates.Required, client, host));
    }

    [Fact]
    public async Task ServerNameThatIsNotInTheCertificate_IsRefusedByTheClient()
    {
        using var authority = Authority("a");
        await Assert.ThrowsAsync<AuthenticationException>(() => HandshakeAsync(
            Load(authority.Server()), ClientCertificates.NotAsked, Load(authority.Client("c")), "example.org"));
    }

    [Fact]
    public async Task ServerOfAnotherAuthority_IsRefusedByTheClient()
    {
        using var a = Authority("a");
        using var b = Authority("b");
        await Assert.ThrowsAsync<AuthenticationException>(() => HandshakeAsync(
            Load(a.Server()), ClientCertificates.NotAsked, Load(b.Client("c")), "localhost"));
    }

    [Theory]
    [InlineData(ClientCertificates.Required)]
    [InlineData(ClientCertificates.Optional)]
    public async Task ClientOfAnotherAuthority_IsRefusedByTheServer(ClientCertificates clients)
    {
        using var a = Authority("a");
        using var b = Authority("b");
        var stranger = Load(b.Client("c") with { Authorities = a.AuthorityPath });
        await Assert.ThrowsAsync<AuthenticationException>(() => HandshakeAsync(Load(a.Server()), clients, stranger, "localhost"));
    }

    [Fact]
    public async Task ServerCertificateShownByAClient_IsRefused()
    {
        using var authority = Authority("a");
        var server = Load(authority.Server());
        await Assert.ThrowsAsync<AuthenticationException>(() => HandshakeAsync(server, ClientCertificates.Required, server, "localhost"));
        Assert.False(server.VerifyClient(server.Certificate!, Now, out var why));
        Assert.NotEmpty(why);
    }

    [Fact]
    public async Task ClientWithoutCertificate_PassesOnlyWhereItIsOptional()
    {
        using var authority = Authority("a");
        var nobody = Load(new TlsFiles { Authorities = authority.AuthorityPath });
        var server = Load(authority.Server());
        Assert.Equal("", await HandshakeAsync(server, ClientCertificates.Optional, nobody, "localhost"));
        await Assert.ThrowsAsync<AuthenticationException>(() => HandshakeAsync(server, ClientCertificates.Required, nobody, "localhost"));
    }

    [Fact]
    public void VerifyClient_JudgesIssuerAndDate()
    {
        using var a = Authority("a");
        using var b = Authority("b");
        var server = Load(a.Server());
        var client = Load(a.Client("car-1")).Certificate!;
        Assert.True(server.VerifyClient(client, Now, out _));
        Assert.False(server.VerifyClient(client, Now.AddDays(500), out _));
        Assert.False(server.VerifyClient(Load(b.Client("car-1")).Certificate!, Now, out _));
    }

    [Fact]
    public void Authority_IsReusedAndItsFilesArePrivate()
    {
        TlsFiles server;
        byte[] certificate;
        using (var first = Authority("a"))
        {
            server = first.Server();
            first.Client("car-1");
            certificate = File.ReadAllBytes(server.Certificate!);
        }
        using var second = Authority("a");
        second.Server();
        Assert.Equal(certificate, File.ReadAllBytes(server.Certificate!));
        if (OperatingSystem.IsWindows()) return;
        foreach (var file in Directory.GetFiles(Path.Combine(_folder, "a"), "*", SearchOption.AllDirectories))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public void CertificateNearItsEndOrForOtherNames_IsIssuedAnew()
    {
        var clock = new TestClock(Now);
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "a"), clock);
        var path = authority.Server().Certificate!;
        var first = File.ReadAllText(path);
        clock.Advance(TimeSpan.FromDays(366));
        authority.Server();
        Assert.Equal(first, File.ReadAllText(path));
        clock.Advance(TimeSpan.FromDays(2));
        authority.Server();
        var second = File.ReadAllText(path);
        Assert.NotEqual(first, second);
        authority.Server("plant.example");
        Assert.NotEqual(second, File.ReadAllText(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../evil")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("a,CN=admin")]
    public void ClientNameThatIsNoFileName_IsRefused(string name)
    {
        using var authority = Authority("a");
        Assert.Throws<TlsMaterialException>(() => authority.Client(name));
    }

    [Fact]
    public void DamagedAuthority_IsAnErrorAndNotReplaced()
    {
        Authority("a").Dispose();
        File.WriteAllText(Path.Combine(_folder, "a", "ca.key"), "rubbish");
        Assert.Contains("ca.key", Assert.Throws<TlsMaterialException>(() => Authority("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongFiles_AreOneLineEachThatNamesTheFile()
    {
        using var a = Authority("a");
        var (server, client) = (a.Server(), a.Client("c"));
        var text = Path.Combine(_folder, "text.pem");
        File.WriteAllText(text, "not pem");
        var encrypted = Path.Combine(_folder, "encrypted.key");
        File.WriteAllText(encrypted, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        var missing = Path.Combine(_folder, "missing.pem");
        AssertWrong($"'{missing}' does not exist", server with { Certificate = missing });
        AssertWrong($"'{missing}' does not exist", server with { Key = missing });
        AssertWrong($"'{text}' contains no certificate", server with { Certificate = text });
        AssertWrong($"'{text}' contains no private key", server with { Key = text });
        AssertWrong($"'{text}' contains no certificate", server with { Authorities = text });
        AssertWrong("is encrypted", server with { Key = encrypted });
        AssertWrong("does not belong to the certificate", server with { Key = client.Key });
        AssertWrong("without a certificate", server with { Certificate = null });
        AssertWrong("is a folder", server with { Certificate = _folder });
    }

    [Fact]
    public void ExpiredCertificate_IsAWarning()
    {
        using var a = Authority("a");
        var material = PemFiles.Load(a.Server(), Now.AddDays(400));
        Assert.Contains("'localhost'", Assert.Single(material.Warnings), StringComparison.Ordinal);
        Assert.Empty(PemFiles.Load(a.Server(), Now).Warnings);
    }

    [Fact]
    public async Task ChangedFiles_AreUsedByNewConnectionsWithoutRestart()
    {
        var clock = new TestClock(Now);
        using var a = Authority("a");
        using var b = Authority("b");
        var files = Copy(a.Server());
        using var reloadable = new ReloadableCertificate(files, clock, _logger).Watch();
        var nobody = Load(new TlsFiles { Authorities = b.AuthorityPath });
        await Assert.ThrowsAsync<AuthenticationException>(
            () => HandshakeAsync(reloadable.Current, ClientCertificates.NotAsked, nobody, "localhost"));
        Assert.Equal(ReloadResult.Unchanged, reloadable.ReloadIfChanged());

        // In two steps, as certificate tools do it: between them the pair does not match.
        File.Copy(b.Server().Certificate!, files.Certificate!, overwrite: true);
        var before = reloadable.Current;
        Assert.Equal(ReloadResult.Failed, reloadable.ReloadIfChanged());
        Assert.Same(before, reloadable.Current);
        Assert.Equal(ReloadResult.Failed, reloadable.ReloadIfChanged());
        File.Copy(b.Server().Key!, files.Key!, overwrite: true);
        clock.Advance(ReloadableCertificate.DefaultPeriod);
        Assert.Equal("", await HandshakeAsync(reloadable.Current, ClientCertificates.NotAsked, nobody, "localhost"));
        Assert.Single(Log.Entries, e => e.Event.Id == 1102);
        Assert.Single(Log.Entries, e => e.Event.Id == 1101);
    }

    [Fact]
    public void FilesThatVanish_KeepTheOldMaterial()
    {
        using var a = Authority("a");
        var files = Copy(a.Server());
        using var reloadable = new ReloadableCertificate(files, TimeProvider.System, _logger);
        var before = reloadable.Current;
        File.Delete(files.Certificate!);
        Assert.Equal(ReloadResult.Failed, reloadable.ReloadIfChanged());
        Assert.Same(before, reloadable.Current);
    }

    private DevelopmentAuthority Authority(string name) =>
        DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, name), TimeProvider.System);

    private TlsMaterial Load(TlsFiles files) => PemFiles.Load(files, Now);

    private TlsFiles Copy(TlsFiles files)
    {
        var copy = files with { Certificate = Path.Combine(_folder, "live.pem"), Key = Path.Combine(_folder, "live.key") };
        File.Copy(files.Certificate!, copy.Certificate!);
        File.Copy(files.Key!, copy.Key!);
        return copy;
    }

    private void AssertWrong(string expected, TlsFiles files)
    {
        var message = Assert.Throws<TlsMaterialException>(() => Load(files)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private Task<string> HandshakeAsync(TlsMaterial server, ClientCertificates clients, TlsMaterial client, string host) =>
        Handshake.RunAsync(server, clients, client, host, TestTimeout);
}
