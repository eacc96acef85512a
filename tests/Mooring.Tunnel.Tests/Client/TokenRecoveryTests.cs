using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

public sealed class TokenRecoveryTests : MooringTest
{
    private readonly List<(string Refused, TunnelWire Wire)> _asked = [];

    private async Task<TunnelClient> ConnectAsync(TunnelHost host, TunnelWire wire, string token, Func<Task<string?>>? another) => Own(await TunnelClient.ConnectAsync(
        new TunnelClientOptions
        {
            Server = host.Address, Token = token, Wire = wire, Tunnels = [new TunnelDefinition { LocalPort = 1, Subdomain = "demo" }],
            AnotherToken = another is null ? null : (refused, generation, _) =>
            {
                _asked.Add((refused, generation));
                return another();
            },
        },
        LoggerFactory, cancellationToken: TestTimeout));

    [Theory]
    [InlineData(TunnelWire.A)]
    [InlineData(TunnelWire.B)]
    public async Task Item17_RefusedToken_IsReplacedByAnother(TunnelWire wire)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var good = await host.TokenAsync();
        var client = await ConnectAsync(host, wire, "forgotten", () => Task.FromResult<string?>(good));
        Assert.True(client.Status.IsConnected);
        Assert.Equal([("forgotten", wire)], _asked);
    }

    [Fact]
    public async Task Item20_SecondRefusal_EndsTheAttempt()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(host, TunnelWire.A, "forgotten", () => Task.FromResult<string?>("wrong too")));
        Assert.Equal(("UNAUTHORIZED", TunnelOutcome.Terminal), (refused.Code, refused.Outcome));
        Assert.Single(_asked);
    }

    [Fact]
    public async Task Item70_RefusedTokenWithoutAnother_IsTerminal()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        foreach (var another in new Func<Task<string?>>?[] { null, () => Task.FromResult<string?>(null) })
        {
            var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(host, TunnelWire.B, "forgotten", another));
            Assert.Equal(TunnelOutcome.Terminal, refused.Outcome);
        }
        Assert.Equal(2, Log.Entries.Count(entry => entry.Event.Id == 6003));
    }

    [Fact]
    public async Task Item19_RecoveryThatFails_IsToldWithBothReasons()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(
            host, TunnelWire.A, "forgotten", () => Task.FromException<string?>(new TunnelApiException(500, "broken", null))));
        Assert.Contains("Invalid auth token", refused.Message, StringComparison.Ordinal);
        Assert.Contains("API Error 500: broken", refused.Message, StringComparison.Ordinal);
        Assert.Equal(TunnelOutcome.Unreachable, refused.Outcome);
    }

    [Fact]
    public async Task TokenThatIsRotatedWhileAClientRuns_IsFoundAtTheNextConnection()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var token = await host.TokenAsync();
        using var api = new TunnelApi(host.Address);
        string? saved = null;
        var client = await ConnectAsync(host, TunnelWire.B, token, () => Task.FromResult(saved));
        saved = await api.RotateAsync(token, TestTimeout);
        await host.Server.Sessions.All.Single().CloseAsync(Mooring.Tunnel.Protocol.CloseCodes.Restart, "");
        await Log.WhenAsync(_ => Log.Entries.Count(entry => entry.Event.Id == 6510) == 2, TestTimeout);
        Assert.Equal([(token, TunnelWire.B)], _asked);
        Assert.False(client.Completion.IsCompleted);
    }
}
