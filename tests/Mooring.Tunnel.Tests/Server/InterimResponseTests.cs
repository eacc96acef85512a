using System.Net.Sockets;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Informational responses, from the application's socket to the visitor's.</summary>
public sealed class InterimResponseTests : MooringTest
{
    private const string Final = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    private async Task<TunnelHost> PublishAsync(int port)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = port, Subdomain = "demo" }] },
            LoggerFactory, cancellationToken: TestTimeout));
        return host;
    }

    private async Task<NetworkStream> DialAsync(TunnelHost host)
    {
        var visitor = new TcpClient { NoDelay = true };
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        return visitor.GetStream();
    }

    private async Task<string> HeadAsync(NetworkStream stream) => (await RawOrigin.ReadHeadAsync(stream).WaitAsync(TestTimeout))!;

    [Fact]
    public async Task EarlyHints_ReachTheVisitorBeforeTheApplicationHasItsAnswer()
    {
        var go = new SemaphoreSlim(0);
        await using var origin = new RawOrigin(async stream =>
        {
            while (await RawOrigin.ReadHeadAsync(stream) is not null)
            {
                await stream.WriteAsync("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>\r\nConnection: keep-alive\r\nContent-Length: 9\r\n\r\n"u8.ToArray());
                await go.WaitAsync(TestTimeout);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 102 Processing\r\n\r\n{Final}"));
            }
        });
        var host = await PublishAsync(origin.Port);
        await using var visitor = await DialAsync(host);
        for (var i = 0; i < 3; i++)
        {
            await visitor.WriteAsync("GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"u8.ToArray(), TestTimeout);
            Assert.Equal("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>\r\n\r\n", await HeadAsync(visitor));
            go.Release();
            Assert.Equal("HTTP/1.1 102 Processing\r\n\r\n", await HeadAsync(visitor));
            Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", await HeadAsync(visitor), StringComparison.Ordinal);
            var body = new byte[5];
            await visitor.ReadExactlyAsync(body, TestTimeout);
            Assert.Equal("hello", Encoding.ASCII.GetString(body));
        }
        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public async Task PipelinedRequests_GetTheirHintsInTheirPlaces()
    {
        var number = 0;
        await using var origin = new RawOrigin(async stream =>
        {
            while (await RawOrigin.ReadHeadAsync(stream) is not null)
            {
                var n = Interlocked.Increment(ref number);
                var body = new string((char)('a' + n), 100_000);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 103 Early Hints\r\nX-Number: {n}\r\n\r\nHTTP/1.1 200 OK\r\nX-Number: {n}\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
            }
        });
        var host = await PublishAsync(origin.Port);
        await using var visitor = await DialAsync(host);
        await visitor.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n", 10))), TestTimeout);
        for (var n = 1; n <= 10; n++)
        {
            Assert.Equal($"HTTP/1.1 103 Early Hints\r\nX-Number: {n}\r\n\r\n", await HeadAsync(visitor));
            var head = await HeadAsync(visitor);
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
            Assert.Contains($"X-Number: {n}\r\n", head, StringComparison.Ordinal);
            var body = new byte[100_000];
            await visitor.ReadExactlyAsync(body, TestTimeout);
            Assert.All(body, b => Assert.Equal((byte)('a' + n), b));
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\r\nHost: demo.localhost\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" + Final)]
    [InlineData("GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + Final)]
    [InlineData("POST / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" + Final)]
    public async Task VisitorThatMightNotUnderstand_GetsTheAnswerAlone(string request, string answer)
    {
        await using var origin = RawOrigin.Answering(answer);
        var host = await PublishAsync(origin.Port);
        await using var visitor = await DialAsync(host);
        await visitor.WriteAsync(Encoding.ASCII.GetBytes(request), TestTimeout);
        var all = await new StreamReader(visitor, Encoding.Latin1).ReadToEndAsync(TestTimeout);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", all, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nhello", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FloodOfHints_IsCutToAFew_AndTheAnswerComes()
    {
        await using var origin = RawOrigin.Answering(string.Concat(Enumerable.Repeat("HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n", 1000)) + Final);
        var host = await PublishAsync(origin.Port);
        await using var visitor = await DialAsync(host);
        await visitor.WriteAsync("GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"u8.ToArray(), TestTimeout);
        var all = await new StreamReader(visitor, Encoding.Latin1).ReadToEndAsync(TestTimeout);
        Assert.InRange(all.Split("103 Early Hints").Length - 1, 1, 4);
        Assert.EndsWith("\r\n\r\nhello", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HintsAndThenNothing_IsA502()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n", closes: true);
        var host = await PublishAsync(origin.Port);
        await using var visitor = await DialAsync(host);
        await visitor.WriteAsync("GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n"u8.ToArray(), TestTimeout);
        Assert.StartsWith("HTTP/1.1 103 Early Hints\r\n", await HeadAsync(visitor), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 502 Bad Gateway\r\n", await HeadAsync(visitor), StringComparison.Ordinal);
    }
}
