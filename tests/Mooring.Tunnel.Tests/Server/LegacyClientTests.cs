using System.Net;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>A client of generation A that speaks exactly as those that exist, against the server.</summary>
public sealed class LegacyClientTests : MooringTest
{
    [Fact]
    public async Task WrongToken_IsToldInTheWordsThatClientsLookFor()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var peer = await LegacyPeer.DialAsync(host, TestTimeout);
        Assert.Contains("Invalid auth token", (await peer.AuthenticateAsync("wrong")).Error, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(peer.ReceiveAsync);
        Assert.Equal(1008, peer.CloseCode);
    }

    [Fact]
    public async Task Login_IsFollowedByOneReqProxy_AndPingByPong()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        Assert.StartsWith("sess-", peer.Id, StringComparison.Ordinal);
        Assert.IsType<ControlMessage.ReqProxy>(await peer.ReceiveAsync());
        await peer.SendAsync(new ControlMessage.Ping());
        await peer.SendAsync(new ControlMessage.Heartbeat("not-mine", 1.5));
        await peer.SendAsync(new ControlMessage.Ping());
        Assert.IsType<ControlMessage.Pong>(await peer.ReceiveAsync());
        Assert.IsType<ControlMessage.Pong>(await peer.ReceiveAsync());
    }

    [Fact]
    public async Task Tunnel_CarriesRequests_OneAfterAnotherOnOneConnection()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        var tunnel = await peer.AskAsync("demo");
        Assert.Equal(("req-1", "demo", "http"), (tunnel.ReqId, tunnel.Subdomain, tunnel.Protocol));
        var seen = new List<ProxyRequest>();
        var serving = peer.ServeAsync(request =>
        {
            seen.Add(request);
            return LegacyPeer.Text(200, "hello " + request.Path, ("Content-Type", "text/plain"));
        });
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello /a", await visitor.GetStringAsync("a?x=1", TestTimeout));
        using var posted = await visitor.PostAsync("b", new StringContent("body"), TestTimeout);
        Assert.Equal("hello /b", await posted.Content.ReadAsStringAsync(TestTimeout));
        Assert.Equal(("GET", "x=1"), (seen[0].Method, seen[0].Query));
        Assert.Equal("body", Encoding.UTF8.GetString(seen[1].Body.Span));
        Assert.Contains(seen[0].Headers, field => field.Key == "X-Forwarded-For" && field.Value == "127.0.0.1");
        peer.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);
    }

    [Fact]
    public async Task ChunkFramingInABody_IsTakenOff()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        await peer.AskAsync("demo");
        _ = peer.ServeAsync(_ => LegacyPeer.Text(200, "5\r\nhello\r\n0\r\n\r\n", ("Transfer-Encoding", "chunked")));
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", await visitor.GetStringAsync("", TestTimeout));
    }

    [Fact]
    public async Task ProxyConnectionThatIsClosed_Gives502()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        await peer.AskAsync("demo");
        _ = peer.ServeAsync(_ => null);
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }

    [Fact]
    public async Task BodyAboveTheClientsLimit_Gives413()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        await peer.AskAsync("demo");
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.PostAsync("", new ByteArrayContent(new byte[4_000_001]), TestTimeout);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task NameOfAnotherAccount_IsRefusedInBothSpellings()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var ann = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        await ann.AskAsync("demo");
        using var bob = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        var error = Assert.IsType<ControlMessage.ErrorResp>(await bob.TryAskAsync("demo"));
        Assert.Equal(("req-1", "SUBDOMAIN_UNAVAILABLE"), (error.ReqId, error.Code));
    }

    [Fact]
    public async Task FiftyRequestsAtOnce_AreAllServed_WithAtMost49ProxyConnections()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        await peer.AskAsync("demo");
        var opened = 1;
        var serving = peer.ServeAsync(_ => LegacyPeer.Text(200, "ok"));
        var pump = Task.Run(async () =>
        {
            while (true)
            {
                if (await peer.ReceiveAsync() is not ControlMessage.ReqProxy) continue;
                Interlocked.Increment(ref opened);
                _ = peer.ServeAsync(_ => LegacyPeer.Text(200, "ok"));
            }
        }, TestTimeout);
        using var visitor = host.Visitor("demo");
        var answers = await Task.WhenAll(Enumerable.Range(0, 120).Select(_ => visitor.GetStringAsync("", TestTimeout)));
        Assert.All(answers, answer => Assert.Equal("ok", answer));
        Assert.InRange(opened, 1, 49 + 10);
        peer.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => pump);
    }
}
