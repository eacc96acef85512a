using Mooring.Testing;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>The life of a client of generation A: coming back, being too many, its spare proxy connections.</summary>
public sealed class LegacySessionTests : MooringTest
{
    [Fact]
    public async Task ServerThatStopsAndStarts_GivesTheNameBack_ToItsAccountOnly()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
        string ann, bob;
        await using (var first = await TunnelHost.StartAsync(LoggerFactory, folder: folder))
        {
            (ann, bob) = (await first.TokenAsync(), await first.TokenAsync());
            using var peer = await LegacyPeer.LogInAsync(first, ann, TestTimeout);
            Assert.Equal("keep", (await peer.AskAsync("keep")).Subdomain);
            await first.Server.StopAsync(TestTimeout);
            await peer.UntilClosedAsync();
            Assert.Equal(1012, peer.CloseCode);
        }
        await using (var second = await TunnelHost.StartAsync(LoggerFactory, folder: folder))
        {
            using var other = await LegacyPeer.LogInAsync(second, bob, TestTimeout);
            Assert.Equal("SUBDOMAIN_UNAVAILABLE", Assert.IsType<ControlMessage.ErrorResp>(await other.TryAskAsync("keep")).Code);
            using var peer = await LegacyPeer.LogInAsync(second, ann, TestTimeout);
            Assert.Equal("keep", (await peer.AskAsync("keep")).Subdomain);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task IdThatIsSentAgain_ReplacesTheOlderConnection_OfTheSameAccountOnly()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (ann, bob) = (await host.TokenAsync(), await host.TokenAsync());
        using var first = await LegacyPeer.LogInAsync(host, ann, TestTimeout);
        await first.AskAsync("keep");
        using var stranger = await LegacyPeer.LogInAsync(host, bob, TestTimeout, first.Id);
        Assert.IsType<ControlMessage.ErrorResp>(await stranger.TryAskAsync("keep"));
        await first.SendAsync(new ControlMessage.Ping());
        Assert.IsType<ControlMessage.Pong>(await first.ReceiveAsync());
        using var second = await LegacyPeer.LogInAsync(host, ann, TestTimeout, first.Id);
        await first.UntilClosedAsync();
        Assert.Equal(4001, first.CloseCode);
        Assert.Equal("keep", (await second.AskAsync("keep")).Subdomain);
    }

    [Fact]
    public async Task TunnelBeyondTheQuota_AndNoFreePort_AreToldInTheCodesThatClientsKnow()
    {
        var port = FreePort.Next();
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Quota = new Quota(2, 10, 10, 0), TcpPortFirst = port, TcpPortLast = port }));
        using var first = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        Assert.Equal($"tcp://localhost:{port}", Assert.IsType<ControlMessage.NewTunnel>(await first.TryAskAsync("", protocol: "tcp")).Url);
        await first.AskAsync("one");
        Assert.Equal("FREE_TIER_LIMIT_REACHED", Assert.IsType<ControlMessage.ErrorResp>(await first.TryAskAsync("two")).Code);
        using var second = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        Assert.Equal("OVER_CAPACITY", Assert.IsType<ControlMessage.ErrorResp>(await second.TryAskAsync("", protocol: "tcp")).Code);
    }

    [Fact]
    public async Task IdleProxyConnections_AreKeptUpToTen_AndClosedAfterAMinute_ExceptOne()
    {
        var clock = new TestClock();
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, time: clock));
        using var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        var idle = Enumerable.Range(0, LegacySession.IdleMax + 5).Select(_ => peer.IdleAsync()).ToList();
        await ClosedAsync(idle, 5);
        clock.Advance(LegacySession.IdleAge);
        Assert.Equal(5, idle.Count(connection => connection.IsCompleted));
        clock.Advance(TimeSpan.FromSeconds(2));
        await ClosedAsync(idle, LegacySession.IdleMax + 4);
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, idle.Count(connection => !connection.IsCompleted));
    }

    private async Task ClosedAsync(List<Task> connections, int count)
    {
        await Eventually.TrueAsync(() => connections.Count(connection => connection.IsCompleted) >= count, $"{count} proxy connections are closed", TestTimeout);
        Assert.Equal(count, connections.Count(connection => connection.IsCompleted));
        Assert.All(connections.Where(connection => connection.IsCompleted), connection => Assert.True(connection.IsCompletedSuccessfully));
    }
}
