using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

public sealed class HttpTunnelTests : MooringTest
{
    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(int port, Func<TunnelDefinition, TunnelDefinition>? change = null)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var definition = new TunnelDefinition { LocalPort = port, Subdomain = "demo" };
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [change is null ? definition : change(definition)] },
            LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    [Fact]
    public async Task Get_ReachesTheApplication()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, client) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
        Assert.Equal($"http://demo.localhost:{host.Server.Http.Port}", client.Tunnels[0].Url);
        Assert.Equal(1, client.Tunnels[0].Requests);
        Assert.Equal(5, client.Tunnels[0].BytesOut);
    }

    [Fact]
    public async Task ManyRequestsAtOnce_AreAllAnswered()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => visitor.GetStringAsync("hello", TestTimeout)));
        Assert.All(answers, answer => Assert.Equal("hello", answer));
    }

    [Fact]
    public async Task Item46_LargeBodies_ArriveWholeInBothDirections()
    {
        const int Size = 48_000_000;
        var origin = Own(await WebOrigin.StartAsync());
        var (host, client) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync($"bytes/{Size}", HttpCompletionOption.ResponseHeadersRead, TestTimeout);
        var expected = new byte[Size];
        for (var i = 0; i < Size; i++) expected[i] = WebOrigin.At(i);
        Assert.Equal(SHA256.HashData(expected), await SHA256.HashDataAsync(await answer.Content.ReadAsStreamAsync(TestTimeout), TestTimeout));
        using var posted = await visitor.PostAsync("digest", new ByteArrayContent(expected), TestTimeout);
        Assert.Equal(HttpStatusCode.OK, posted.StatusCode);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(expected)), await posted.Content.ReadAsStringAsync(TestTimeout));
        Assert.Equal(Size, client.Tunnels[0].BytesIn);
        Assert.Equal(Size + 64, client.Tunnels[0].BytesOut);
    }

    [Fact]
    public async Task ChunkedUpload_IsEchoedWhileItIsSent()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        var body = RandomNumberGenerator.GetBytes(3_000_000);
        using var request = new HttpRequestMessage(HttpMethod.Post, "echo") { Content = new StreamContent(new MemoryStream(body)) };
        request.Headers.TransferEncodingChunked = true;
        using var answer = await visitor.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestTimeout);
        Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync(TestTimeout));
    }

    [Fact]
    public async Task NoContentAndHead_HaveNoBody()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        using var empty = await visitor.GetAsync("empty", TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, empty.StatusCode);
        await using var raw = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
        var (other, _) = await PublishAsync(raw.Port);
        using var second = other.Visitor("demo");
        using var head = await second.SendAsync(new HttpRequestMessage(HttpMethod.Head, ""), TestTimeout);
        Assert.Equal(1234, head.Content.Headers.ContentLength);
        using var again = await second.SendAsync(new HttpRequestMessage(HttpMethod.Head, ""), TestTimeout);
        Assert.Equal(1, raw.Connections);
    }

    [Fact]
    public async Task RepeatedFields_StayApart()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("cookies", TestTimeout);
        Assert.Equal(["a=1", "b=2"], answer.Headers.GetValues("Set-Cookie"));
    }

    [Fact]
    public async Task Visitor_IsToldToTheApplication_AndItsOwnClaimsAreNot()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        using var request = new HttpRequestMessage(HttpMethod.Get, "headers");
        request.Headers.Add("X-Forwarded-For", "203.0.113.9");
        request.Headers.Add("Forwarded", "for=203.0.113.9");
        request.Headers.Add("X-Request-ID", "forged");
        request.Headers.Connection.Add("X-Hop");
        request.Headers.Add("X-Hop", "1");
        using var answer = await visitor.SendAsync(request, TestTimeout);
        var seen = await answer.Content.ReadAsStringAsync(TestTimeout);
        Assert.Contains("X-Forwarded-For: 127.0.0.1\n", seen + "\n", StringComparison.Ordinal);
        Assert.Contains($"X-Forwarded-Host: demo.localhost:{host.Server.Http.Port}", seen, StringComparison.Ordinal);
        Assert.Contains("X-Forwarded-Proto: http", seen, StringComparison.Ordinal);
        Assert.Contains($"Host: localhost:{origin.Port}", seen, StringComparison.Ordinal);
        Assert.Matches("X-Request-ID: req-[a-z2-9]{16}", seen);
        Assert.DoesNotContain("203.0.113.9", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Hop", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EventStream_ArrivesEventByEvent()
    {
        var more = new SemaphoreSlim(0);
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"u8.ToArray());
            await more.WaitAsync(TestTimeout);
            await stream.WriteAsync("data: 2\n\n"u8.ToArray());
        });
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("", HttpCompletionOption.ResponseHeadersRead, TestTimeout);
        var events = new StreamReader(await answer.Content.ReadAsStreamAsync(TestTimeout));
        Assert.Equal("data: 1", await events.ReadLineAsync(TestTimeout));
        Assert.Equal("", await events.ReadLineAsync(TestTimeout));
        more.Release();
        Assert.Equal("data: 2", await events.ReadLineAsync(TestTimeout));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200\r\nContent-Length:5\r\n\r\nhello")]
    public async Task AnswerInOnePiece_IsUnderstood(string answer)
    {
        await using var origin = RawOrigin.Answering(answer);
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        for (var i = 0; i < 3; i++) Assert.Equal("hello", await visitor.GetStringAsync("", TestTimeout));
        Assert.Equal(1, origin.Connections);
    }

    [Theory]
    [InlineData("HTTP/1.0 200 OK\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")]
    public async Task AnswerUntilClose_IsUnderstood(string answer)
    {
        await using var origin = RawOrigin.Answering(answer, closes: true);
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", await visitor.GetStringAsync("", TestTimeout));
        Assert.Equal("hello", await visitor.GetStringAsync("", TestTimeout));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("ICY 200 OK\r\n\r\n")]
    [InlineData("")]
    public async Task AnswerThatIsNoHttp_Gives502(string answer)
    {
        await using var origin = RawOrigin.Answering(answer, closes: true);
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        using var response = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    public async Task AnswerThatIsCutOff_IsNotTakenForWhole(string answer)
    {
        await using var origin = RawOrigin.Answering(answer, closes: true);
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => visitor.GetStringAsync("", TestTimeout));
    }

    [Fact]
    public async Task EndlessHeaders_Give502()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray());
            while (true) await stream.WriteAsync("X-More: and more\r\n"u8.ToArray(), TestTimeout);
        });
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        using var response = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    [Fact]
    public async Task ApplicationThatIsDown_Gives502_InTheWantedForm()
    {
        var (host, _) = await PublishAsync(FreePort.Next());
        using var visitor = host.Visitor("demo");
        using var text = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.BadGateway, text.StatusCode);
        Assert.Contains("nothing listens", await text.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
        using var unknown = host.Visitor("nobody");
        unknown.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        using var json = await unknown.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.NotFound, json.StatusCode);
        Assert.Contains("\"request_id\":\"req-", await json.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Item44_Redirects_AreRewritten_OnlyFromTheLocalAddress()
    {
        var target = "";
        await using var origin = new RawOrigin(async stream =>
        {
            while (await RawOrigin.ReadHeadAsync(stream) is not null)
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"));
        });
        var (host, client) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        foreach (var (sent, expected) in new[]
        {
            ($"http://localhost:{origin.Port}/a?b#c", $"{client.Tunnels[0].Url}/a?b#c"),
            ($"http://127.0.0.1:{origin.Port}/", $"{client.Tunnels[0].Url}/"),
            ("/relative", "/relative"),
            ("//localhost/x", "//localhost/x"),
            ($"http://localhost.evil.example:{origin.Port}/", $"http://localhost.evil.example:{origin.Port}/"),
            ("https://example.org/", "https://example.org/"),
        })
        {
            target = sent;
            using var answer = await visitor.GetAsync("", TestTimeout);
            Assert.Equal(expected, answer.Headers.GetValues("Location").Single());
        }
    }

    [Fact]
    public async Task Password_IsDemandedByTheServer()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port, definition => definition with { Auth = "ann:secret" });
        using var visitor = host.Visitor("demo");
        using var refused = await visitor.GetAsync("hello", TestTimeout);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("Basic", refused.Headers.WwwAuthenticate.Single().Scheme);
        visitor.DefaultRequestHeaders.Authorization = new("basic", Convert.ToBase64String("ann:secret"u8));
        Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
        visitor.DefaultRequestHeaders.Authorization = new("Basic", "%%%");
        using var malformed = await visitor.GetAsync("hello", TestTimeout);
        Assert.Equal(HttpStatusCode.Unauthorized, malformed.StatusCode);
    }

    [Fact]
    public async Task ClosedConnectionOfTheApplication_IsReplacedOnce()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
        });
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        for (var i = 0; i < 5; i++) Assert.Equal("hello", await visitor.GetStringAsync("", TestTimeout));
    }

    [Fact]
    public async Task SlowVisitor_StopsOnlyItself()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, client) = await PublishAsync(origin.Port);
        using var slow = new TcpClient();
        await slow.ConnectAsync(host.Server.Http, TestTimeout);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /bytes/400000000 HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"), TestTimeout);
        using var visitor = host.Visitor("demo");
        for (var i = 0; i < 50; i++) Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
        Assert.True(client.Tunnels[0].BytesOut < 20_000_000, "the slow visitor's body is not read ahead");
    }

    [Fact]
    public async Task VisitorThatVanishes_CancelsTheRequestAtTheApplication()
    {
        var closed = new TaskCompletionSource();
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            try
            {
                while (await stream.ReadAsync(new byte[1]) > 0)
                {
                }
            }
            finally
            {
                closed.TrySetResult();
            }
        });
        var (host, _) = await PublishAsync(origin.Port);
        var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        await visitor.GetStream().WriteAsync("GET /hang HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"u8.ToArray(), TestTimeout);
        while (origin.Connections == 0) await Task.Yield();
        visitor.Client.LingerState = new LingerOption(true, 0);
        visitor.Dispose();
        await closed.Task.WaitAsync(TestTimeout);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: demo.localhost\r\nHost: other\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 1, 1\r\n\r\na", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: demo.localhost\r\nTransfer-Encoding: xchunked\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: demo.localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: demo.localhost\r\nX: a\r\n folded\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost : demo.localhost\r\n\r\n", 400)]
    [InlineData("GET http://demo.localhost/hello HTTP/1.1\r\nHost: demo.localhost\r\n\r\n", 200)]
    [InlineData("GET /hello HTTP/1.1\r\nHost: DEMO.localhost.:99\r\n\r\n", 200)]
    [InlineData("GET /hello HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 404)]
    [InlineData("GET /hello HTTP/1.1\r\nHost: demo.localhost.evil.example\r\n\r\n", 404)]
    [InlineData("GET /hello HTTP/1.1\r\nHost: demo.localhost\r\nVia: 1.1 mooring-tunnel\r\n\r\n", 508)]
    [InlineData("CONNECT demo.localhost:80 HTTP/1.1\r\nHost: demo.localhost\r\n\r\n", 400)]
    public async Task StrangeRequest_IsJudged(string request, int status)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        await visitor.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestTimeout);
        var line = await new StreamReader(visitor.GetStream(), Encoding.ASCII).ReadLineAsync(TestTimeout);
        Assert.StartsWith($"HTTP/1.1 {status}", line, StringComparison.Ordinal);
    }
}
