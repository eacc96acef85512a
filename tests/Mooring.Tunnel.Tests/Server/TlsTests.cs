using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mooring.Kernel.Tls;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

public sealed class TlsTests : MooringTest
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mooring-tls-");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private TlsFiles Certificate(out string authority, string folder = "ca")
    {
        using var ca = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder.FullName, folder), TimeProvider.System);
        authority = ca.AuthorityPath;
        // The wildcard is what a real domain has; strict clients take none of a top-level name.
        // The authorities in it are for clients' certificates, which nobody asks for here.
        return ca.Server("*.localhost", "demo.localhost") with { Authorities = null };
    }

    private async Task<TunnelClient> ConnectAsync(TunnelClientOptions options) => Own(await TunnelClient.ConnectAsync(options, LoggerFactory, cancellationToken: TestTimeout));

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task ServersCertificate_IsVerified_OnLoopbackToo(string name)
    {
        var files = Certificate(out var authority);
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { ControlTls = files }));
        var options = new TunnelClientOptions { Server = $"wss://{name}:{host.Control.Port}", Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = 1 }] };
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(options));
        Assert.Contains("not trusted", refused.Message, StringComparison.Ordinal);
        Certificate(out var stranger, "stranger");
        await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(options with { Authorities = stranger }));
        Assert.True((await ConnectAsync(options with { Authorities = authority })).Status.IsConnected);
        Assert.True((await ConnectAsync(options with { IsInsecure = true })).Status.IsConnected);
        Assert.True((await ConnectAsync(options with { Authorities = authority, Wire = TunnelWire.A })).Status.IsConnected);
    }

    [Fact]
    public async Task Api_VerifiesTheServerToo()
    {
        var files = Certificate(out var authority);
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { ControlTls = files }));
        var address = $"wss://localhost:{host.Control.Port}";
        using var doubtful = new TunnelApi(address);
        Assert.Equal(0, (await Assert.ThrowsAsync<TunnelApiException>(() => doubtful.RegisterAsync(cancellationToken: TestTimeout))).Status);
        using var trusting = new TunnelApi(address, authorities: authority);
        Assert.Equal(43, (await trusting.RegisterAsync(cancellationToken: TestTimeout)).Length);
        using var careless = new TunnelApi(address, isInsecure: true);
        Assert.Equal(43, (await careless.RegisterAsync(cancellationToken: TestTimeout)).Length);
    }

    [Fact]
    public async Task AuthorityThatCannotBeRead_IsToldAtOnce()
    {
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(
            new TunnelClientOptions { Server = "wss://localhost", Authorities = "/no/such/file.pem", Tunnels = [new TunnelDefinition { LocalPort = 1 }] }));
        Assert.Equal((TunnelOutcome.Invalid, true), (refused.Outcome, refused.Message.Contains("'/no/such/file.pem' does not exist", StringComparison.Ordinal)));
    }

    [Fact]
    [Trait("Peer", "real")]
    public async Task Visitors_ComeInOverHttps_ByName_WithBothVersionsOfHttp()
    {
        var files = Certificate(out var authority);
        var origin = Own(await WebOrigin.StartAsync());
        var (host, client) = await PublishAsync(files, origin.Port);
        Assert.Equal($"https://demo.localhost:{host.Server.Https!.Port}", client.Tunnels[0].Url);
        foreach (var version in new[] { "--http1.1", "--http2" })
        {
            var port = host.Server.Https!.Port.ToString(CultureInfo.InvariantCulture);
            await using var curl = ProcessUnderTest.Start(
                "curl", ["-sS", "-m", "20", version, "-w", " %{http_version}", "--cacert", authority, "--resolve", $"demo.localhost:{port}:127.0.0.1", $"https://demo.localhost:{port}/headers"]);
            Assert.Equal(0, await curl.ExitAsync(TestTimeout));
            var answer = string.Join('\n', curl.Lines);
            Assert.Contains("X-Forwarded-Proto: https", answer, StringComparison.Ordinal);
            Assert.EndsWith(version == "--http2" ? " 2" : " 1.1", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task RenewedCertificate_IsServedToNewVisitors_WithoutARestart()
    {
        var clock = new TestClock(TimeProvider.System.GetUtcNow());
        var files = Certificate(out _);
        var copy = new TlsFiles { Certificate = Path.Combine(_folder.FullName, "server.pem"), Key = Path.Combine(_folder.FullName, "server.key") };
        Copy(files, copy);
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(copy, origin.Port, clock);
        var (before, established) = await SeenAsync(host.Server.Https!);
        Copy(Certificate(out _, "renewed"), copy);
        X509Certificate2 after;
        do
        {
            clock.Advance(ReloadableCertificate.DefaultPeriod);
            (after, var other) = await SeenAsync(host.Server.Https!);
            await other.DisposeAsync();
        }
        while (after.Thumbprint == before.Thumbprint);
        // Who was there before is still served.
        await established.WriteAsync("GET /hello HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"u8.ToArray(), TestTimeout);
        Assert.Equal("HTTP/1.1 200 OK", await new StreamReader(established).ReadLineAsync(TestTimeout));
        await established.DisposeAsync();
        // A broken renewal leaves the good one in place.
        await File.WriteAllTextAsync(copy.Certificate!, "no certificate", TestTimeout);
        clock.Advance(ReloadableCertificate.DefaultPeriod);
        var (still, last) = await SeenAsync(host.Server.Https!);
        await last.DisposeAsync();
        Assert.Equal(after.Thumbprint, still.Thumbprint);
    }

    private static void Copy(TlsFiles from, TlsFiles to)
    {
        File.Copy(from.Key!, to.Key!, overwrite: true);
        File.Copy(from.Certificate!, to.Certificate!, overwrite: true);
    }

    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(TlsFiles files, int port, TimeProvider? time = null)
    {
        var host = Own(await TunnelHost.StartAsync(
            LoggerFactory, options => options with { Https = new IPEndPoint(IPAddress.Loopback, 0), HttpsTls = files }, time: time));
        var client = await ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = port, Subdomain = "demo" }] });
        return (host, client);
    }

    private async Task<(X509Certificate2 Certificate, SslStream Stream)> SeenAsync(IPEndPoint https)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(https, TestTimeout);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "demo.localhost" }, TestTimeout);
        return (new X509Certificate2(stream.RemoteCertificate!), stream);
    }
}
