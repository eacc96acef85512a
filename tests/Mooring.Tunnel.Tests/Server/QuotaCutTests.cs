using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>An account that has used its day up while streams run: they are cut at that byte, and both ends are told.</summary>
public sealed class QuotaCutTests : MooringTest
{
    private const int Day = 100_000;
    private const int Cut = 6502;

    private readonly TestClock _clock = new();

    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(TunnelDefinition definition, int version = 3)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Quota = new Quota(10, 10, 100, 0, BytesPerDay: Day) }, time: _clock));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Wire = version == 0 ? TunnelWire.A : TunnelWire.B, Tunnels = [definition] },
            LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    private static long Carried(TunnelHost host) => host.Server.Sessions.All.Single().Usage.BytesToday;

    [Fact]
    public async Task DownloadThatCrossesTheLimit_IsCutThere_AndTheNextIsToldWhen_UntilTheNextDay()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, client) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        Assert.Equal(60_000, (await visitor.GetByteArrayAsync("bytes/60000", TestTimeout)).Length);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => visitor.GetByteArrayAsync("bytes/100000000", TestTimeout));
        Assert.Equal((Day, Day), (Carried(host), host.Server.Directory.All.Single().BytesOut));
        Assert.Contains("QUOTA_BYTES", (await LoggedAsync(Cut)).Message, StringComparison.Ordinal);
        Assert.True(client.Tunnels[0].BytesOut < 10_000_000, "the application's answer is not read to its end");
        using var refused = await visitor.GetAsync("hello", TestTimeout);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        _clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1));
        // So long without a sign of life: the client comes back by itself.
        await Eventually.TrueAsync(async () => (await visitor.GetAsync("hello", TestTimeout)).StatusCode == HttpStatusCode.OK, "another day", TestTimeout);
    }

    [Fact]
    public async Task UploadThatCrossesTheLimit_IsAnsweredWith429_AndTheReason()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.PostAsync("digest", new ByteArrayContent(new byte[Day + 1]), TestTimeout);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Contains(AccountUsage.DayIsOver, await answer.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
        Assert.Equal(Day, Carried(host));
        await LoggedAsync(Cut);
    }

    [Fact]
    public async Task ManyDownloadsAtOnce_CarryTogetherExactlyWhatTheyMay()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        var got = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            try
            {
                return (await visitor.GetByteArrayAsync("bytes/9000", TestTimeout)).Length;
            }
            catch (HttpRequestException)
            {
                return 0;
            }
        }));
        Assert.InRange(got.Sum(), 9000, Day);
        Assert.Equal((Day, Day), (Carried(host), host.Server.Directory.All.Single().BytesOut));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    public async Task TcpConnectionThatCrossesTheLimit_IsCut_AndNewOnesAreClosed(int version)
    {
        await using var origin = new RawOrigin(async stream => await stream.CopyToAsync(stream));
        var (host, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = origin.Port }, version);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        await visitor.GetStream().WriteAsync(new byte[1000], TestTimeout);
        await visitor.GetStream().ReadExactlyAsync(new byte[1000], TestTimeout);
        Assert.Equal(2000, Carried(host));
        var received = 0;
        try
        {
            await visitor.GetStream().WriteAsync(new byte[Day], TestTimeout);
            while (await visitor.GetStream().ReadAsync(new byte[10_000], TestTimeout) is var count and > 0) received += count;
            Assert.Equal(0, version);
        }
        catch (IOException)
        {
            // A reset, as what was received is not all.
        }
        Assert.InRange(received, 0, Day - 2000);
        Assert.Equal(Day, Carried(host));
        using var next = new TcpClient();
        await next.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        Assert.Equal(0, await next.GetStream().ReadAsync(new byte[1], TestTimeout));
    }

    [Theory]
    [InlineData(70_000, 1)]
    [InlineData(10_000, 20)]
    public async Task WebSocketThatCrossesTheLimit_IsClosedWith1008_AndTheReason(int size, int times)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", "demo.localhost");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{host.Server.Http.Port}/socket"), TestTimeout);
        var sending = Task.Run(
            async () =>
            {
                for (var i = 0; i < times; i++) await socket.SendAsync(new byte[size], WebSocketMessageType.Binary, endOfMessage: true, TestTimeout);
            }, TestTimeout);
        var buffer = new byte[Day];
        while ((await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout)).MessageType != WebSocketMessageType.Close)
        {
        }
        Assert.Equal((WebSocketCloseStatus.PolicyViolation, AccountUsage.DayIsOver), (socket.CloseStatus, socket.CloseStatusDescription));
        Assert.Equal(Day, Carried(host));
        await LoggedAsync(Cut);
        await Task.WhenAny(sending);
    }

    [Theory]
    [InlineData("bytes/100001")]
    [InlineData("digest")]
    public async Task WholeMessageOfGenerationA_ThatCrossesTheLimit_IsAnsweredWith429(string path)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }, version: 0);
        using var visitor = host.Visitor("demo");
        using var answer = path == "digest" ? await visitor.PostAsync(path, new ByteArrayContent(new byte[Day + 1]), TestTimeout) : await visitor.GetAsync(path, TestTimeout);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Contains(AccountUsage.DayIsOver, await answer.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
        Assert.Equal(Day, Carried(host));
    }

    [Fact]
    public async Task LimitThatAnOperatorRaises_LetsARunningStreamGoOn()
    {
        var go = new SemaphoreSlim(0);
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 150000\r\n\r\n"u8.ToArray());
            await stream.WriteAsync(new byte[Day]);
            await go.WaitAsync(TestTimeout);
            await stream.WriteAsync(new byte[50_000]);
        });
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        var getting = visitor.GetByteArrayAsync("", TestTimeout);
        await Eventually.TrueAsync(() => Carried(host) == Day, "the day is used up", TestTimeout);
        using var admin = new HttpClient { BaseAddress = host.Admin };
        var quota = new JsonObject { ["tunnels"] = 10, ["sessions"] = 10, ["streams"] = 10, ["requests_per_second"] = 0, ["bytes_per_day"] = 2 * Day };
        using var changed = await admin.PutAsJsonAsync($"admin/v1/accounts/{host.Server.Sessions.All.Single().Account.Id}/quota", quota, TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        go.Release();
        Assert.Equal(150_000, (await getting).Length);
    }
}
