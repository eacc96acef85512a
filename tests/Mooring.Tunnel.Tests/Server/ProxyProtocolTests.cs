using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Tests.Fixture;
using Mooring.Tunnel.Tests.Protocol;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Visitors that come through proxies which tell their addresses with the PROXY protocol, and applications that want to be told.</summary>
public sealed class ProxyProtocolTests : MooringTest
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mooring-nginx-");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private static TunnelServerOptions BehindProxy(TunnelServerOptions options) => options with { ExpectsProxyProtocol = true, TrustedProxies = ["127.0.0.0/8"] };

    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(TunnelDefinition definition, Func<TunnelServerOptions, TunnelServerOptions> change, TimeProvider? time = null)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, change, time: time));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [definition] }, LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    private async Task<string> SayAsync(IPEndPoint target, params byte[][] parts)
    {
        using var visitor = new TcpClient { NoDelay = true };
        await visitor.ConnectAsync(target, TestTimeout);
        var answer = new StreamReader(visitor.GetStream()).ReadToEndAsync(TestTimeout);
        foreach (var part in parts) await visitor.GetStream().WriteAsync(part, TestTimeout);
        return await answer;
    }

    private static byte[] Get(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.0\r\nHost: demo.localhost\r\n\r\n");

    [Theory]
    [InlineData("v1-tcp4", "203.0.113.7")]
    [InlineData("v1-tcp6", "2001:db8::7")]
    [InlineData("v1-unknown", "127.0.0.1")]
    [InlineData("v2-tcp4", "203.0.113.7")]
    [InlineData("v2-tcp6", "2001:db8::7")]
    [InlineData("v2-local", "127.0.0.1")]
    [InlineData("v2-extensions-and-checksum", "203.0.113.7")]
    public async Task Header_TellsTheApplicationWhoVisits(string vector, string visitor)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }, BehindProxy);
        var header = Vectors.ProxyHeaders[vector];
        Assert.Contains($"X-Forwarded-For: {visitor}", await SayAsync(host.Server.Http, [.. header, .. Get("/headers")]), StringComparison.Ordinal);
        var inPieces = await SayAsync(host.Server.Http, header[..5], header[5..^1], [header[^1], .. Get("/headers")]);
        Assert.Contains($"X-Forwarded-For: {visitor}", inPieces, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeaderBeforeHttp2_IsTakenOffToo()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }, BehindProxy);
        using var visitor = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(host.Server.Http, stop);
                await socket.SendAsync(Vectors.ProxyHeaders["v2-tcp4"], stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.Contains("X-Forwarded-For: 203.0.113.7", await visitor.GetStringAsync($"http://demo.localhost:{host.Server.Http.Port}/headers", TestTimeout), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /headers HTTP/1.1\r\nHost: demo.localhost\r\n\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\nGET /headers HTTP/1.1\r\nHost: demo.localhost\r\n\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\nPROXY TCP4 5.6.7.8 1.2.3.4 1 2\r\nGET /headers HTTP/1.1\r\nHost: demo.localhost\r\n\r\n")]
    public async Task ProxyWithoutItsHeader_OrWithABrokenOne_IsNotServed(string sent)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }, BehindProxy);
        string answer;
        try
        {
            answer = await SayAsync(host.Server.Http, Encoding.ASCII.GetBytes(sent));
        }
        catch (IOException)
        {
            answer = "";
        }
        Assert.DoesNotContain("200 OK", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilentProxy_IsClosed()
    {
        var (host, client) = await PublishAsync(
            new TunnelDefinition { LocalPort = 1, Protocol = TunnelProtocol.Tcp },
            options => BehindProxy(options) with { Limits = new TunnelServerLimits { ProxyHeaderTimeout = TimeSpan.FromMilliseconds(200) } });
        foreach (var port in new[] { host.Server.Http.Port, client.Tunnels[0].RemotePort!.Value })
        {
            using var proxy = new TcpClient();
            await proxy.ConnectAsync(IPAddress.Loopback, port, TestTimeout);
            await proxy.GetStream().WriteAsync("PROXY "u8.ToArray(), TestTimeout);
            try
            {
                Assert.Equal(0, await proxy.GetStream().ReadAsync(new byte[1], TestTimeout));
            }
            catch (IOException)
            {
                // A reset tells the same.
            }
        }
    }

    [Fact]
    public async Task PeerThatIsNoTrustedProxy_IsServedAsItself_AndItsHeaderIsNoHttp()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(
            new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }, options => options with { ExpectsProxyProtocol = true, TrustedProxies = ["192.0.2.1/32"] });
        Assert.Contains("X-Forwarded-For: 127.0.0.1", await SayAsync(host.Server.Http, Get("/headers")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", await SayAsync(host.Server.Http, [.. Vectors.ProxyHeaders["v1-tcp4"], .. Get("/headers")]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListsOfVisitors_JudgeTheVisitor_NotTheProxy()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(
            new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }, options => BehindProxy(options) with { DeniedVisitors = ["203.0.113.0/24"] });
        Assert.StartsWith("HTTP/1.1 403", await SayAsync(host.Server.Http, [.. Vectors.ProxyHeaders["v1-tcp4"], .. Get("/headers")]), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await SayAsync(host.Server.Http, [.. Vectors.ProxyHeaders["v1-tcp6"], .. Get("/headers")]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v1-tcp4", 1, "v1-tcp4")]
    [InlineData("v2-tcp4", 1, "v1-tcp4")]
    [InlineData("v1-tcp4", 2, "v2-tcp4")]
    public async Task TcpApplication_IsToldTheVisitor_InTheVersionItWants(string sent, int version, string expected)
    {
        await using var origin = new RawOrigin(async stream =>
        {
            var all = new MemoryStream();
            await stream.CopyToAsync(all);
            await stream.WriteAsync(all.ToArray());
        });
        var (_, client) = await PublishAsync(
            new TunnelDefinition { LocalPort = origin.Port, Protocol = TunnelProtocol.Tcp, ProxyProtocol = version }, BehindProxy);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        var stream = visitor.GetStream();
        await stream.WriteAsync((byte[])[.. Vectors.ProxyHeaders[sent], .. "hello"u8], TestTimeout);
        visitor.Client.Shutdown(SocketShutdown.Send);
        var got = new MemoryStream();
        await stream.CopyToAsync(got, TestTimeout);
        Assert.Equal("hello"u8, got.ToArray().AsSpan()[^5..]);
        Assert.True(Mooring.Kernel.Proxying.ProxyHeaderReader.TryRead(got.ToArray(), out var header, out var length));
        Assert.Equal((Vectors.Remark("proxy/headers.txt", expected), got.Length - 5), (header.Source!.ToString(), length));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, origin.Port), header.Destination);
    }

    [Fact]
    [Trait("Peer", "real")]
    public async Task Curl_SpeaksThroughIt_AndNginxReadsWhatTheClientWrites()
    {
        var folder = _folder.FullName;
        var port = FreePort.Next();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "nginx.conf"),
            $$"""
            daemon off; master_process off; pid {{folder}}/pid; error_log stderr;
            events { }
            http { access_log off; client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy; fastcgi_temp_path {{folder}}/fastcgi;
                   uwsgi_temp_path {{folder}}/uwsgi; scgi_temp_path {{folder}}/scgi;
                   server { listen 127.0.0.1:{{port}} proxy_protocol; location / { return 200 "$proxy_protocol_addr:$proxy_protocol_port"; } } }
            """,
            TestTimeout);
        Own(ProcessUnderTest.Start("nginx", ["-c", Path.Combine(folder, "nginx.conf"), "-e", "stderr"]));
        await PortAsync(port);
        foreach (var version in new[] { 1, 2 })
        {
            var (_, client) = await PublishAsync(new TunnelDefinition { LocalPort = port, Protocol = TunnelProtocol.Tcp, ProxyProtocol = version }, BehindProxy);
            var url = $"http://127.0.0.1:{client.Tunnels[0].RemotePort}/";
            await using var curl = ProcessUnderTest.Start("curl", ["-sS", "-m", "20", "--haproxy-protocol", "--local-port", "41000-41999", url]);
            Assert.Equal(0, await curl.ExitAsync(TestTimeout));
            Assert.Matches("^127.0.0.1:41[0-9]{3}$", string.Join("", curl.Lines));
        }
    }

    [Fact]
    public void OptionWithoutProxies_IsAnError()
    {
        var errors = new Mooring.Kernel.Options.OptionsErrors();
        new TunnelServerOptions { ExpectsProxyProtocol = true }.Validate(errors);
        Assert.Contains("proxy-protocol", Assert.Throws<Mooring.Kernel.Options.ConfigurationException>(() => errors.ThrowIfAny("")).Message, StringComparison.Ordinal);
    }

    private async Task PortAsync(int port)
    {
        while (true)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync("127.0.0.1", port, TestTimeout);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestTimeout);
            }
        }
    }
}
