using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.WebSocket;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Ends of WebSockets: whoever ignores a close frame is cut off soon, and not after the idle time.</summary>
public sealed class WebSocketCloseTests : MooringTest
{
    private const string Upgrade = "GET /socket HTTP/1.1\r\nHost: demo.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    private readonly TestClock _clock = new();

    private async Task<TunnelHost> PublishAsync(int port)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, time: _clock));
        Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = port, Subdomain = "demo" }] },
            LoggerFactory, _clock, TestTimeout));
        return host;
    }

    private static async Task AcceptAsync(NetworkStream stream)
    {
        var head = await RawOrigin.ReadHeadAsync(stream);
        var key = head!.Split("\r\n").First(line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase))[18..].Trim();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {WebSocketFraming.Accept(key)}\r\n\r\n"));
    }

    // Far below the idle time, so that it is not that which ends the connection.
    private async Task AdvanceUntilAsync(Task over)
    {
        for (var i = 0; i < 20 && !over.IsCompleted; i++)
        {
            _clock.Advance(new LinkLimits().PeerCloseTimeout / 4);
            await Task.WhenAny(over, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestTimeout));
        }
        await over.WaitAsync(TestTimeout);
    }

    private static async Task ReadToEndAsync(NetworkStream stream)
    {
        try
        {
            var buffer = new byte[1000];
            while (await stream.ReadAsync(buffer) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end too.
        }
    }

    [Fact]
    public async Task VisitorThatIgnoresTheClose_IsCutOff()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await AcceptAsync(stream);
            await stream.WriteAsync((byte[])[0x88, 0x02, 0x03, 0xE8]);
            await ReadToEndAsync(stream);
        });
        var host = await PublishAsync(origin.Port);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        var stream = visitor.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Upgrade), TestTimeout);
        Assert.Contains("101", await RawOrigin.ReadHeadAsync(stream), StringComparison.Ordinal);
        var close = new byte[4];
        await stream.ReadExactlyAsync(close, TestTimeout);
        Assert.Equal([0x88, 0x02, 0x03, 0xE8], close);
        await AdvanceUntilAsync(ReadToEndAsync(stream));
    }

    [Fact]
    public async Task ApplicationThatIgnoresTheClose_IsCutOff()
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new RawOrigin(async stream =>
        {
            await AcceptAsync(stream);
            await ReadToEndAsync(stream);
            over.SetResult();
        });
        var host = await PublishAsync(origin.Port);
        using var visitor = new ClientWebSocket();
        visitor.Options.SetRequestHeader("Host", "demo.localhost");
        await visitor.ConnectAsync(new Uri($"ws://127.0.0.1:{host.Server.Http.Port}/socket"), TestTimeout);
        await visitor.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", TestTimeout);
        await AdvanceUntilAsync(over.Task);
    }

    [Fact]
    public async Task ApplicationThatVanishes_ClosesTheVisitorWith1011()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await AcceptAsync(stream);
            await stream.ReadExactlyAsync(new byte[1]);
        });
        var host = await PublishAsync(origin.Port);
        using var visitor = new ClientWebSocket();
        visitor.Options.SetRequestHeader("Host", "demo.localhost");
        await visitor.ConnectAsync(new Uri($"ws://127.0.0.1:{host.Server.Http.Port}/socket"), TestTimeout);
        await visitor.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestTimeout);
        var heard = await visitor.ReceiveAsync(new byte[10].AsMemory(), TestTimeout);
        Assert.Equal((WebSocketMessageType.Close, WebSocketCloseStatus.InternalServerError), (heard.MessageType, visitor.CloseStatus));
    }
}
