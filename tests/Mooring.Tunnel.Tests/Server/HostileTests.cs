using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Peers of the server that are slow, greedy or confused: clients, visitors, applications.</summary>
public sealed class HostileTests : MooringTest
{
    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(int port, TunnelServerLimits? limits = null, Func<TunnelServerOptions, TunnelServerOptions>? change = null)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => (change?.Invoke(options) ?? options) with { Limits = limits ?? new TunnelServerLimits() }));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = port, Subdomain = "demo" }] },
            LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    private async Task<ClientWebSocket> DialAsync(TunnelHost host)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{host.Control}/api/v1/ws/tunnel"), TestTimeout);
        return socket;
    }

    private async Task<int?> CloseCodeAsync(ClientWebSocket socket)
    {
        var buffer = new byte[4096];
        try
        {
            while ((await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (WebSocketException)
        {
            return null;
        }
        return (int?)socket.CloseStatus;
    }

    [Fact]
    public async Task FirstMessageOverItsLimit_ClosesWith1009()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var socket = await DialAsync(host);
        await socket.SendAsync(new byte[] { 0x81 }.Concat(new byte[20_000]).ToArray(), WebSocketMessageType.Binary, endOfMessage: true, TestTimeout);
        Assert.Equal(1009, await CloseCodeAsync(socket));
    }

    [Fact]
    public async Task MessageOverTheLimit_ClosesWith1009_BeforeItIsRead()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(host.Control, TestTimeout);
        var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET /api/v1/ws/tunnel HTTP/1.1\r\nHost: {host.Control}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"), TestTimeout);
        Assert.Contains("101", await RawOrigin.ReadHeadAsync(stream), StringComparison.Ordinal);
        // A frame that announces 4 GiB, of which not a byte comes.
        await stream.WriteAsync((byte[])[0x82, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4], TestTimeout);
        var close = new byte[4];
        await stream.ReadExactlyAsync(close, TestTimeout);
        Assert.Equal((0x88, 1009), (close[0], (close[2] << 8) | close[3]));
    }

    [Fact]
    public async Task ClientThatSaysNothing_IsCutOff()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Limits = new TunnelServerLimits { HandshakeTimeout = TimeSpan.FromMilliseconds(100) } }));
        using var socket = await DialAsync(host);
        Assert.Null(await CloseCodeAsync(socket));
    }

    [Fact]
    public async Task WrongToken_IsAnsweredBeforeTheClose_With1008()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var socket = await DialAsync(host);
        await socket.SendAsync(Protocol.Vectors.GenerationB["Auth"], WebSocketMessageType.Binary, endOfMessage: true, TestTimeout);
        var buffer = new byte[4096];
        var answer = await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout);
        Assert.Equal(FrameKind.Error, FrameReader.Read(buffer.AsSpan(0, answer.Count)).Kind);
        Assert.Equal(1008, await CloseCodeAsync(socket));
    }

    [Fact]
    public async Task ApplicationThatIsTooSlow_Gives504()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            while (await stream.ReadAsync(new byte[1000]) > 0)
            {
            }
        });
        var (host, _) = await PublishAsync(origin.Port, new TunnelServerLimits { FirstByteTimeout = TimeSpan.FromMilliseconds(300) });
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
    }

    [Fact]
    public async Task ApplicationThatStopsInTheMiddle_IsCutOff_NotTakenForWhole()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"u8.ToArray());
            await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        });
        var (host, _) = await PublishAsync(origin.Port, new TunnelServerLimits { IdleTimeout = TimeSpan.FromMilliseconds(300) });
        using var visitor = host.Visitor("demo");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => visitor.GetStringAsync("", TestTimeout));
    }

    [Fact]
    public async Task ApplicationThatResetsInTheMiddle_IsCutOff()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello"u8.ToArray());
            stream.Socket.LingerState = new LingerOption(true, 0);
            stream.Socket.Close();
        });
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => visitor.GetStringAsync("", TestTimeout));
    }

    [Fact]
    public async Task ApplicationThatSaysMoreThanItAnnounced_DoesNotSpoilTheNextAnswer()
    {
        await using var origin = RawOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = host.Visitor("demo");
        for (var i = 0; i < 3; i++) Assert.Equal("hello", await visitor.GetStringAsync("", TestTimeout));
    }

    [Fact]
    public async Task TunnelToTheVisitorsPortItself_IsALoop_AndEndsWith508()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address, Token = await host.TokenAsync(),
                Tunnels = [new TunnelDefinition { LocalPort = host.Server.Http.Port, Subdomain = "demo", HostHeader = "preserve" }],
            },
            LoggerFactory, cancellationToken: TestTimeout));
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.LoopDetected, answer.StatusCode);
    }

    [Theory]
    [InlineData("GET //evil.example/x HTTP/1.1\r\nHost: demo.localhost\r\n\r\n", "//evil.example/x")]
    [InlineData("GET http://demo.localhost/a%2Fb?c=%20 HTTP/1.1\r\nHost: demo.localhost\r\n\r\n", "/a%2Fb?c=%20")]
    [InlineData("GET /a/../b/./c HTTP/1.1\r\nHost: demo.localhost\r\n\r\n", "/a/../b/./c")]
    public async Task TargetOfARequest_ReachesTheApplicationByteForByte(string request, string target)
    {
        var seen = new TaskCompletionSource<string>();
        await using var origin = new RawOrigin(async stream =>
        {
            seen.TrySetResult((await RawOrigin.ReadHeadAsync(stream))!);
            await stream.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray());
        });
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        await visitor.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestTimeout);
        Assert.StartsWith($"GET {target} HTTP/1.1\r\n", await seen.Task.WaitAsync(TestTimeout), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /hello HTTP/1.1\r\nHost: user@demo.localhost\r\n\r\n")]
    [InlineData("GET /hello HTTP/1.1\r\nHost: demo.localhost/evil\r\n\r\n")]
    [InlineData("GET /hello HTTP/1.1\nHost: demo.localhost\nX:\0y\n\n")]
    [InlineData("GET /hello HTTP/1.1\r\nHost: demo.localhost\r\nX: a\rb\r\n\r\n")]
    [InlineData("GET /hello HTTP/1.1\r\nHost: demo.localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("GET http://other.localhost/hello HTTP/1.1\r\nHost: demo.localhost\r\n\r\n")]
    [InlineData("POST /digest HTTP/1.1\r\nHost: demo.localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")]
    [InlineData("POST /digest HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("POST /digest HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 0x5\r\n\r\nhello")]
    public async Task ConfusingRequest_IsNotServed(string request)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(origin.Port);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        await visitor.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestTimeout);
        var line = await new StreamReader(visitor.GetStream(), Encoding.ASCII).ReadLineAsync(TestTimeout);
        Assert.DoesNotContain(" 200 ", line + " ", StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeadersOverTheirLimit_AreRefusedWith431()
    {
        var (host, _) = await PublishAsync(1);
        using var visitor = host.Visitor("demo");
        visitor.DefaultRequestHeaders.Add("X-Long", new string('x', 40_000));
        using var answer = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task ListsOfAddresses_KeepVisitorsOut()
    {
        var (host, _) = await PublishAsync(1, change: options => options with { DeniedVisitors = ["127.0.0.0/8"] });
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task NameOfAConnectedTunnel_StaysWithIt_WhateverTheStoreSays()
    {
        var (host, _) = await PublishAsync(1);
        var other = await host.TokenAsync();
        await host.Server.Names.TryClaimAsync("demo", (await host.Server.Accounts.AuthenticateAsync(other, TestTimeout))!.Id, TimeSpan.FromDays(-1), TestTimeout);
        var refused = await Assert.ThrowsAsync<TunnelException>(() => TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = other, Tunnels = [new TunnelDefinition { LocalPort = 1, Subdomain = "demo" }] }, LoggerFactory, cancellationToken: TestTimeout));
        Assert.Equal("SUBDOMAIN_UNAVAILABLE", refused.Code);
    }
}
