using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

public sealed class ConnectionTunnelTests : MooringTest
{
    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(TunnelDefinition definition)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [definition] }, LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    private async Task<NetworkStream> DialAsync(TunnelClient client)
    {
        var visitor = new TcpClient { NoDelay = true };
        await visitor.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        return visitor.GetStream();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(1_000_000)]
    public async Task WebSocketMessage_ComesBackWhole(int size)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("chat");
        socket.Options.SetRequestHeader("Host", "demo.localhost");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{host.Server.Http.Port}/socket"), TestTimeout);
        Assert.Equal("chat", socket.SubProtocol);
        var sent = RandomNumberGenerator.GetBytes(size);
        await socket.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, TestTimeout);
        var received = new MemoryStream();
        var buffer = new byte[8192];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout);
            Assert.Equal(WebSocketMessageType.Binary, part.MessageType);
            received.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        Assert.Equal(sent, received.ToArray());
        await socket.SendAsync("é"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestTimeout);
        part = await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout);
        Assert.Equal((WebSocketMessageType.Text, "é"), (part.MessageType, Encoding.UTF8.GetString(buffer, 0, part.Count)));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", TestTimeout);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task WebSocketThatTheApplicationRefuses_IsRefusedWithItsStatus()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", "demo.localhost");
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://127.0.0.1:{host.Server.Http.Port}/socket?refuse=1"), TestTimeout));
        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Fact]
    public async Task TcpEcho_CarriesBytesBothWays_AndEachDirectionEndsByItself()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            var all = new MemoryStream();
            await stream.CopyToAsync(all);
            // Only after the visitor's end: the other direction is still open.
            await stream.WriteAsync(all.ToArray());
        });
        var (_, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = origin.Port });
        Assert.InRange(client.Tunnels[0].RemotePort!.Value, 22_000, 29_999);
        for (var i = 0; i < 3; i++)
        {
            await using var visitor = await DialAsync(client);
            var sent = RandomNumberGenerator.GetBytes(5_000_000);
            await visitor.WriteAsync(sent, TestTimeout);
            visitor.Socket.Shutdown(SocketShutdown.Send);
            var received = new MemoryStream();
            await visitor.CopyToAsync(received, TestTimeout);
            Assert.Equal(sent, received.ToArray());
        }
    }

    [Fact]
    public async Task ApplicationThatEndsFirst_LeavesTheVisitorsDirectionOpen()
    {
        var heard = new TaskCompletionSource<string>();
        await using var origin = new RawOrigin(async stream =>
        {
            await stream.WriteAsync("welcome"u8.ToArray());
            stream.Socket.Shutdown(SocketShutdown.Send);
            heard.SetResult(await new StreamReader(stream).ReadToEndAsync());
        });
        var (_, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = origin.Port });
        await using var visitor = await DialAsync(client);
        Assert.Equal("welcome", await new StreamReader(visitor, leaveOpen: true).ReadToEndAsync(TestTimeout));
        await visitor.WriteAsync("still here"u8.ToArray(), TestTimeout);
        visitor.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("still here", await heard.Task.WaitAsync(TestTimeout));
    }

    [Fact]
    public async Task ApplicationThatIsDown_ResetsTheVisitor()
    {
        var (_, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = FreePort.Next() });
        // The reset may come before the visitor sees that it is connected.
        var reset = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var visitor = await DialAsync(client);
            await visitor.ReadExactlyAsync(new byte[1], TestTimeout);
        });
        Assert.Equal(SocketError.ConnectionReset, (reset as SocketException ?? reset.InnerException as SocketException)?.SocketErrorCode);
    }

    [Fact]
    public async Task ClosedTunnel_FreesItsPort()
    {
        await using var origin = RawOrigin.Answering("x");
        var (_, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = origin.Port });
        var port = client.Tunnels[0].RemotePort!.Value;
        await client.DisposeAsync();
        while (true)
        {
            TestTimeout.ThrowIfCancellationRequested();
            using var visitor = new TcpClient();
            try
            {
                await visitor.ConnectAsync(IPAddress.Loopback, port, TestTimeout);
            }
            catch (SocketException exception)
            {
                // What was still in the listener's queue is reset first.
                if (exception.SocketErrorCode == SocketError.ConnectionRefused) return;
                Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
            }
        }
    }
}
