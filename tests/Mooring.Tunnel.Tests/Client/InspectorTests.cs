using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Inspection;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

public sealed class InspectorTests : MooringTest
{
    [Fact]
    public async Task Exchange_IsKept_AndCanBeSentAgain()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var inspector = new TunnelInspector();
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address, Token = await host.TokenAsync(), Inspector = inspector, Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }],
            },
            LoggerFactory, cancellationToken: TestTimeout);
        using var visitor = host.Visitor("demo");
        visitor.DefaultRequestHeaders.Authorization = new("Bearer", "very-secret");
        using var answer = await visitor.PostAsync("echo", new StringContent("body of it"), TestTimeout);
        Assert.Equal("body of it", await answer.Content.ReadAsStringAsync(TestTimeout));
        while (inspector.All.Count == 0) await Task.Yield();
        var kept = inspector.All[0];
        Assert.Equal(("POST", "/echo", 200), (kept.Method, kept.Path, kept.Status));
        Assert.EndsWith("\r\n\r\nbody of it", Encoding.Latin1.GetString(kept.Request.Span), StringComparison.Ordinal);
        Assert.Contains("body of it", Encoding.Latin1.GetString(kept.Response.Span), StringComparison.Ordinal);
        Assert.DoesNotContain("very-secret", InspectorEndpoints.Masked(kept.Request.Span), StringComparison.Ordinal);
        var replay = await inspector.ReplayAsync(kept, TimeProvider.System, TestTimeout);
        Assert.Equal(200, replay!.Status);
        Assert.Contains("body of it", Encoding.Latin1.GetString(replay.Response.Span), StringComparison.Ordinal);
        Assert.Equal(2, inspector.All.Count);
        inspector.Clear();
        Assert.Empty(inspector.All);
    }

    [Fact]
    public async Task LongBody_IsCut_AndTheVisitorGetsAllOfIt()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var inspector = new TunnelInspector();
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address, Token = await host.TokenAsync(), Inspector = inspector, Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }],
            },
            LoggerFactory, cancellationToken: TestTimeout);
        using var visitor = host.Visitor("demo");
        Assert.Equal(5_000_000, (await visitor.GetByteArrayAsync("bytes/5000000", TestTimeout)).Length);
        while (inspector.All.Count == 0) await Task.Yield();
        Assert.True(inspector.All[0].IsResponseCut);
        Assert.Equal(Transaction.BytesMax, inspector.All[0].Response.Length);
    }

    [Fact]
    public void Item45_TheOldestExchange_MakesRoomForTheNewest()
    {
        var inspector = new TunnelInspector();
        using var tunnel = new ClientTunnel(new TunnelDefinition { LocalPort = 1 }, new TcpOrigin(null, 1), TimeProvider.System);
        for (var i = 0; i < TunnelInspector.TransactionsMax + 3; i++) inspector.Add(new Transaction(tunnel, "GET", $"/{i}", "", DateTimeOffset.UnixEpoch));
        Assert.Equal(TunnelInspector.TransactionsMax, inspector.All.Count);
        Assert.Equal(($"/{TunnelInspector.TransactionsMax + 2}", "/3"), (inspector.All[0].Path, inspector.All[^1].Path));
    }
}
