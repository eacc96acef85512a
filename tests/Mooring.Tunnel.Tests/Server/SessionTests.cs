using System.Net;
using System.Net.WebSockets;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

public sealed class SessionTests : MooringTest
{
    private Task<TunnelClient> ConnectAsync(TunnelHost host, string token, params TunnelDefinition[] tunnels) => TunnelClient.ConnectAsync(
        new TunnelClientOptions { Server = host.Address, Token = token, Tunnels = tunnels }, LoggerFactory, cancellationToken: TestTimeout);

    private async Task<TunnelException> RefusedAsync(TunnelHost host, string token, params TunnelDefinition[] tunnels) =>
        await Assert.ThrowsAsync<TunnelException>(async () => await (await ConnectAsync(host, token, tunnels)).DisposeAsync());

    private static TunnelDefinition Http(string? name = null) => new() { LocalPort = 1, Subdomain = name };

    [Theory]
    [InlineData("", "AUTH_REQUIRED")]
    [InlineData("wrong", "UNAUTHORIZED")]
    public async Task WrongToken_IsRefusedForGood(string token, string code)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var refused = await RefusedAsync(host, token, Http());
        Assert.Equal((code, TunnelOutcome.Terminal), (refused.Code, refused.Outcome));
    }

    [Fact]
    public async Task RotatedToken_DoesNotWorkAnyMore()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var token = await host.TokenAsync();
        using var api = new TunnelApi(host.Address);
        var rotated = await api.RotateAsync(token, TestTimeout);
        Assert.Equal("UNAUTHORIZED", (await RefusedAsync(host, token, Http())).Code);
        await (await ConnectAsync(host, rotated, Http())).DisposeAsync();
        Assert.DoesNotContain(Log.Entries, entry => entry.Message.Contains(token, StringComparison.Ordinal) || entry.Message.Contains(rotated, StringComparison.Ordinal));
    }

    [Fact]
    public async Task RegisteredToken_Works_AndIsKnownToTheApi()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var api = new TunnelApi(host.Address);
        var token = await api.RegisterAsync(cancellationToken: TestTimeout);
        Assert.Equal(43, token.Length);
        Assert.EndsWith("@retunnel.com", (string)(await api.VerifyAsync(token, TestTimeout))["email"]!, StringComparison.Ordinal);
        Assert.Null(await api.ReactivateAsync("never seen", TestTimeout));
        var another = await api.ReactivateAsync(token, TestTimeout);
        await (await ConnectAsync(host, another!, Http())).DisposeAsync();
        await using var client = await ConnectAsync(host, token, Http());
        Assert.Matches("^[a-z]+-[a-z]+-[0-9]{4}$", client.Tunnels[0].Subdomain);
    }

    [Theory]
    [InlineData("ab")]
    [InlineData("-abc")]
    [InlineData("abc-")]
    [InlineData("a_b")]
    [InlineData("a.b.c")]
    [InlineData("www")]
    [InlineData("adm1n")]
    [InlineData("l0gin")]
    [InlineData("xn--e1afmkfd")]
    [InlineData("tcp-20000")]
    [InlineData("räksmörgås")]
    public async Task NameThatIsNotAllowed_IsRefused(string name)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        Assert.Equal("SUBDOMAIN_UNAVAILABLE", (await RefusedAsync(host, await host.TokenAsync(), Http(name))).Code);
    }

    [Fact]
    public async Task NameOfAnotherAccount_IsRefused_AlsoWhileItsTunnelIsAway()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (ann, bob) = (await host.TokenAsync(), await host.TokenAsync());
        await using (await ConnectAsync(host, ann, Http("demo"))) Assert.Equal("SUBDOMAIN_UNAVAILABLE", (await RefusedAsync(host, bob, Http("demo"))).Code);
        Assert.Equal("SUBDOMAIN_UNAVAILABLE", (await RefusedAsync(host, bob, Http("demo"))).Code);
        await (await ConnectAsync(host, ann, Http("demo"))).DisposeAsync();
    }

    [Fact]
    public async Task SecondConnectionOfAnAccount_TakesTheNameOver()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var origin = Own(await WebOrigin.StartAsync());
        var token = await host.TokenAsync();
        await using var old = await ConnectAsync(host, token, new TunnelDefinition { LocalPort = 1, Subdomain = "demo" });
        await using var client = await ConnectAsync(host, token, new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
        // The older one ends: if it came back, both would take the name from each other for ever.
        var replaced = await Assert.ThrowsAsync<TunnelException>(() => old.Completion.WaitAsync(TestTimeout));
        Assert.Equal(("CLOSED_4001", TunnelOutcome.Terminal), (replaced.Code, replaced.Outcome));
        Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
    }

    [Fact]
    public async Task TwoTunnelsOfOneConnection_AreGrantedInOrder()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        await using var client = await ConnectAsync(host, await host.TokenAsync(), Http("first"), Http("second"), new TunnelDefinition { LocalPort = 1, Protocol = TunnelProtocol.Tcp });
        Assert.Equal(["first", "second", ""], client.Tunnels.Select(tunnel => tunnel.Subdomain));
        Assert.StartsWith("tcp://localhost:2", client.Tunnels[2].Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quota_BoundsTunnels()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Quota = new Quota(1, 1, 10, 0) }));
        Assert.Equal("QUOTA_TUNNELS", (await RefusedAsync(host, await host.TokenAsync(), Http(), Http())).Code);
    }

    [Fact]
    public async Task HostnameThatIsNotRegistered_IsRefused()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        Assert.Equal("HOSTNAME_NOT_REGISTERED", (await RefusedAsync(host, await host.TokenAsync(), new TunnelDefinition { LocalPort = 1, Hostname = "app.example.org" })).Code);
        Assert.Equal("INVALID_HOSTNAME", (await RefusedAsync(host, await host.TokenAsync(), new TunnelDefinition { LocalPort = 1, Hostname = "127.0.0.1" })).Code);
    }

    [Fact]
    public async Task ServerThatStopsAndStarts_FindsItsClientsAgain_UnderTheirNames()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
        var origin = Own(await WebOrigin.StartAsync());
        var first = await TunnelHost.StartAsync(LoggerFactory, folder: folder);
        var control = first.Control;
        var token = await first.TokenAsync();
        var states = System.Threading.Channels.Channel.CreateBounded<TunnelStatus>(100);
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = control.ToString(), Token = token, Tunnels = [new TunnelDefinition { LocalPort = origin.Port }], StatusChanged = status => states.Writer.TryWrite(status),
            },
            LoggerFactory, cancellationToken: TestTimeout);
        var name = client.Tunnels[0].Subdomain;
        await first.DisposeAsync();
        while ((await states.Reader.ReadAsync(TestTimeout)).Failure is null)
        {
        }
        await using var second = await TunnelHost.StartAsync(LoggerFactory, options => options with { Control = control }, folder);
        while (!(await states.Reader.ReadAsync(TestTimeout)).IsConnected)
        {
        }
        Assert.Equal(name, client.Tunnels[0].Subdomain);
        using var visitor = second.Visitor(name);
        Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
        await client.DisposeAsync();
    }

    [Fact]
    public async Task ClientThatIsCutOff_LeavesVisitorsWithA502()
    {
        var reached = new TaskCompletionSource();
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            reached.TrySetResult();
            await stream.ReadExactlyAsync(new byte[1]);
        });
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var client = await ConnectAsync(host, await host.TokenAsync(), new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        var waiting = visitor.GetAsync("", TestTimeout);
        await reached.Task.WaitAsync(TestTimeout);
        host.Server.Sessions.All.Single().Link.Abort("cut by the test");
        Assert.Equal(HttpStatusCode.BadGateway, (await waiting).StatusCode);
        await client.DisposeAsync();
    }

    [Theory]
    [InlineData("81a454797065a450696e67")]
    [InlineData("c1")]
    [InlineData("81")]
    [InlineData("93010203")]
    [InlineData("000000000000000b81a454797065a450696e67")]
    [InlineData("0000000000000fff81a454797065a450696e67")]
    public async Task FirstMessageThatIsNoAuth_EndsTheConnection(string hex)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{host.Address}/api/v1/ws/tunnel"), TestTimeout);
        await socket.SendAsync(Convert.FromHexString(hex), WebSocketMessageType.Binary, endOfMessage: true, TestTimeout);
        var end = await socket.ReceiveAsync(new byte[1024].AsMemory(), TestTimeout);
        Assert.Equal(WebSocketMessageType.Close, end.MessageType);
    }

    [Fact]
    public async Task FrameThatCannotBeRead_IsSkipped_AndAStreamOfTheClientIsReset()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{host.Address}/api/v1/ws/tunnel"), TestTimeout);
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        FrameWriter.WriteAuth(output, await host.TokenAsync(), 2, Capabilities.None);
        await socket.SendAsync(output.WrittenMemory, WebSocketMessageType.Binary, true, TestTimeout);
        var buffer = new byte[1024];
        var answer = await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout);
        Assert.Equal("82a776657273696f6e02a454797065ac48656172746265617441636b", Convert.ToHexString(buffer, 0, answer.Count).ToLowerInvariant());
        await socket.SendAsync("\u00c1 no frame"u8.ToArray(), WebSocketMessageType.Binary, true, TestTimeout);
        output.Clear();
        FrameWriter.WriteStreamOpen(output, new StreamOpening { StreamId = 5, Mode = StreamMode.Http, Path = "/"u8, TunnelId = "x"u8 });
        await socket.SendAsync(output.WrittenMemory, WebSocketMessageType.Binary, true, TestTimeout);
        answer = await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout);
        Assert.Equal(FrameKind.StreamReset, FrameReader.Read(buffer.AsSpan(0, answer.Count)).Kind);
    }
}
