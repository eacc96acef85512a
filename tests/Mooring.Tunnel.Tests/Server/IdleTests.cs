using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Visitors and applications that say nothing any more, by a clock that the test moves.</summary>
public sealed class IdleTests : MooringTest
{
    private static readonly TunnelServerLimits s_limits = new() { ConnectionIdleTimeout = TimeSpan.FromMinutes(2) };

    private readonly TestClock _clock = new();

    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(TunnelDefinition definition)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Limits = s_limits }, time: _clock));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [definition] }, LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    /// <summary>Lets time pass while the client goes on answering for itself.</summary>
    private async Task PassAsync(TunnelHost host, TimeSpan time)
    {
        var session = host.Server.Sessions.All.Single();
        for (var passed = TimeSpan.Zero; passed < time; passed += s_limits.HeartbeatPeriod)
        {
            _clock.Advance(s_limits.HeartbeatPeriod);
            await Eventually.TrueAsync(() => session.Link.Silence < s_limits.HeartbeatPeriod, "the client answers the heartbeat", TestTimeout);
        }
    }

    [Fact]
    public async Task VisitorThatStopsInItsBody_Gets408()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.ReadExactlyAsync(new byte[4]);
            reached.SetResult();
            await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        });
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        await visitor.GetStream().WriteAsync("POST / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 10\r\n\r\nhalf"u8.ToArray(), TestTimeout);
        await reached.Task.WaitAsync(TestTimeout);
        await PassAsync(host, s_limits.IdleTimeout + s_limits.HeartbeatPeriod);
        Assert.StartsWith("HTTP/1.1 408 ", await RawOrigin.ReadHeadAsync(visitor.GetStream()).WaitAsync(TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TcpConnectionWithoutAByteForTooLong_IsReset_AndOneThatSpeaksIsNot()
    {
        await using var origin = new RawOrigin(async stream => await stream.CopyToAsync(stream));
        var (host, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = origin.Port });
        using var silent = new TcpClient();
        await silent.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        using var lively = new TcpClient();
        await lively.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        foreach (var visitor in new[] { silent, lively }) await EchoAsync(visitor);
        await PassAsync(host, s_limits.ConnectionIdleTimeout / 2);
        await EchoAsync(lively);
        await PassAsync(host, s_limits.ConnectionIdleTimeout / 2);
        await PassAsync(host, s_limits.HeartbeatPeriod);
        await Assert.ThrowsAsync<IOException>(async () => await silent.GetStream().ReadExactlyAsync(new byte[1], TestTimeout));
        await EchoAsync(lively);
    }

    [Fact]
    public async Task WebSocketWithoutAMessageForTooLong_IsClosed()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", "demo.localhost");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{host.Server.Http.Port}/socket"), TestTimeout);
        await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestTimeout);
        await socket.ReceiveAsync(new byte[1].AsMemory(), TestTimeout);
        await PassAsync(host, s_limits.ConnectionIdleTimeout + s_limits.HeartbeatPeriod);
        var receiving = socket.ReceiveAsync(new byte[1].AsMemory(), TestTimeout).AsTask();
        // Who does not answer a close frame is cut off a moment later.
        while (await Task.WhenAny(receiving, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestTimeout)) != receiving) _clock.Advance(TimeSpan.FromSeconds(1));
        // The visitor may see the frame, or only the end.
        try
        {
            Assert.Equal(WebSocketMessageType.Close, (await receiving).MessageType);
        }
        catch (WebSocketException)
        {
            Assert.NotEqual(WebSocketState.Open, socket.State);
        }
    }

    private async Task EchoAsync(TcpClient visitor)
    {
        await visitor.GetStream().WriteAsync("x"u8.ToArray(), TestTimeout);
        await visitor.GetStream().ReadExactlyAsync(new byte[1], TestTimeout);
    }
}
