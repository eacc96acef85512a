using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Ingress;
using Mooring.Tunnel.Server.Sessions;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

public sealed class QuotaTests : MooringTest
{
    private async Task<TunnelClient> PublishAsync(TunnelHost host, string token, int port, string name) => Own(await TunnelClient.ConnectAsync(
        new TunnelClientOptions { Server = host.Address, Token = token, Tunnels = [new TunnelDefinition { LocalPort = port, Subdomain = name }] }, LoggerFactory, cancellationToken: TestTimeout));

    private async Task<List<HttpStatusCode>> AskAsync(HttpClient visitor, int times)
    {
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < times; i++)
        {
            using var answer = await visitor.GetAsync("hello", TestTimeout);
            statuses.Add(answer.StatusCode);
        }
        return statuses;
    }

    [Fact]
    public async Task RequestsAboveTheQuota_Get429_ForAllTunnelsOfTheAccount_UntilTimePasses()
    {
        var clock = new TestClock();
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Quota = new Quota(10, 10, 10, RequestsPerSecond: 2) }, time: clock));
        var token = await host.TokenAsync();
        await PublishAsync(host, token, origin.Port, "first");
        await PublishAsync(host, token, origin.Port, "second");
        await PublishAsync(host, await host.TokenAsync(), origin.Port, "other");
        using var first = host.Visitor("first");
        using var second = host.Visitor("second");
        using var other = host.Visitor("other");
        Assert.All(await AskAsync(first, 2 * AccountUsage.BurstSeconds), status => Assert.Equal(HttpStatusCode.OK, status));
        using var refused = await second.GetAsync("hello", TestTimeout);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Equal([HttpStatusCode.OK], await AskAsync(other, 1));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], await AskAsync(second, 3));
    }

    [Fact]
    public async Task BytesAboveTheDaysQuota_Get429_UntilMidnight_AlsoAfterARestart()
    {
        var clock = new TestClock();
        var folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
        var origin = Own(await WebOrigin.StartAsync());
        Task<TunnelHost> StartAsync() => TunnelHost.StartAsync(LoggerFactory, options => options with { Quota = new Quota(10, 10, 10, 0, BytesPerDay: 10_000) }, folder, clock);
        string token;
        await using (var host = await StartAsync())
        {
            token = await host.TokenAsync();
            await using var client = await PublishAsync(host, token, origin.Port, "demo");
            using var visitor = host.Visitor("demo");
            Assert.Equal(9_995, (await visitor.GetByteArrayAsync("bytes/9995", TestTimeout)).Length);
            Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], await AskAsync(visitor, 2));
            using var refused = await visitor.GetAsync("hello", TestTimeout);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        }
        await using (var host = await StartAsync())
        {
            Assert.Equal("QUOTA_BYTES", (await Assert.ThrowsAsync<TunnelException>(() => PublishAsync(host, token, origin.Port, "demo"))).Code);
            clock.Advance(TimeSpan.FromDays(1));
            await using var client = await PublishAsync(host, token, origin.Port, "demo");
            using var visitor = host.Visitor("demo");
            Assert.Equal([HttpStatusCode.OK], await AskAsync(visitor, 1));
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task ClientsOfOneAddress_HaveABound_ExceptThisMachines()
    {
        var registry = new SessionRegistry(new TunnelServerLimits { SessionsPerAddress = 2 }, TimeProvider.System);
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        await PublishAsync(host, await host.TokenAsync(), 1, "demo");
        var context = host.Server.Sessions.All.Single().Context;
        var account = host.Server.Sessions.All.Single().Account;
        using var link = new WebSocketLink(Stream.Null, isClient: false, new LinkLimits(), TimeProvider.System);
        var sessions = Enumerable.Range(0, 2).Select(i => new LegacySession($"sess-{i}", account, link, "192.0.2.7", context)).ToArray();
        foreach (var session in sessions)
        {
            Assert.True(registry.HasRoomFor("192.0.2.7"));
            registry.Add(session);
        }
        Assert.Equal((false, true, true), (registry.HasRoomFor("192.0.2.7"), registry.HasRoomFor("192.0.2.8"), registry.HasRoomFor("127.0.0.1")));
        registry.Remove(sessions[0]);
        registry.Remove(sessions[0]);
        Assert.True(registry.HasRoomFor("192.0.2.7"));
        registry.Remove(sessions[1]);
    }

    [Theory]
    [InlineData(25)]
    [InlineData(465)]
    [InlineData(587)]
    public async Task PortOfMail_IsGivenToNobody(int port)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { TcpPortFirst = 1, TcpPortLast = 1000 }));
        var refused = await Assert.ThrowsAsync<TunnelException>(async () => await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = 1, Protocol = TunnelProtocol.Tcp, RemotePort = port }] },
            LoggerFactory, cancellationToken: TestTimeout));
        Assert.Equal(("TCP_DISABLED", true), (refused.Code, refused.Message.Contains("mail", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task QuotaThatAnOperatorChanges_IsObeyedAtOnce()
    {
        var clock = new TestClock();
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, time: clock));
        var token = await host.TokenAsync();
        await PublishAsync(host, token, origin.Port, "demo");
        using var visitor = host.Visitor("demo");
        Assert.All(await AskAsync(visitor, 20), status => Assert.Equal(HttpStatusCode.OK, status));
        using var api = new TunnelApi(host.Address);
        var account = (string)(await api.VerifyAsync(token, TestTimeout))["user_id"]!;
        using var admin = new HttpClient { BaseAddress = host.Admin };
        using var wrong = await admin.PutAsJsonAsync($"admin/v1/accounts/{account}/quota", new JsonObject { ["tunnels"] = -1 }, TestTimeout);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        var quota = new JsonObject { ["tunnels"] = 10, ["sessions"] = 10, ["streams"] = 10, ["requests_per_second"] = 1 };
        using var changed = await admin.PutAsJsonAsync($"admin/v1/accounts/{account}/quota", quota, TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        Assert.Equal(5, (await AskAsync(visitor, 8)).Count(status => status == HttpStatusCode.OK));
    }

    [Fact]
    public async Task SessionsAndTunnelsThatEnd_ArePaidBack()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Quota = new Quota(Tunnels: 1, Sessions: 1, 10, 0) }));
        var token = await host.TokenAsync();
        for (var i = 0; i < 5; i++)
        {
            var client = await PublishAsync(host, token, 1, $"name-{i}");
            var refused = await Assert.ThrowsAsync<TunnelException>(() => PublishAsync(host, token, 1, "another"));
            Assert.Equal("QUOTA_SESSIONS", refused.Code);
            await client.DisposeAsync();
            while (host.Server.Sessions.Count > 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestTimeout);
            while (host.Server.Directory.Count > 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestTimeout);
        }
    }

    [Fact]
    public void Bucket_LetsTheBurstThrough_ThenTheRate_AndNothingIsLostByAChange()
    {
        var clock = new TestClock();
        var bucket = new TokenBucket(perSecond: 10, burst: 20, clock);
        Assert.Equal(20, Take(30));
        clock.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(5, Take(30));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(bucket.IsFull);
        bucket.Change(perSecond: 0, burst: 0);
        Assert.Equal(1000, Take(1000));
        bucket.Change(perSecond: 1, burst: 5);
        Assert.Equal(5, Take(30));

        int Take(int times) => Enumerable.Range(0, times).Count(_ => bucket.TryTake());
    }
}
