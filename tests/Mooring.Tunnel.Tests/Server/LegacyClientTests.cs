using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>A client of generation A that speaks exactly as those that exist, against the server.</summary>
public sealed class LegacyClientTests : MooringTest
{
    private async Task<ClientWebSocket> DialAsync(TunnelHost host, string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{host.Address}{path}"), TestTimeout);
        return socket;
    }

    private Task SendAsync(ClientWebSocket socket, ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        ControlCodec.Write(output, message);
        return socket.SendAsync(output.WrittenMemory, WebSocketMessageType.Binary, true, TestTimeout).AsTask();
    }

    private async Task<ControlMessage> ReceiveAsync(ClientWebSocket socket)
    {
        var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), TestTimeout);
            if (part.MessageType == WebSocketMessageType.Close) throw new IOException($"closed {socket.CloseStatus}");
            all.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return ControlCodec.Read(all.ToArray());
    }

    private async Task<(ClientWebSocket Control, string Id)> LogInAsync(TunnelHost host, string token)
    {
        var control = await DialAsync(host, "/api/v1/ws/tunnel");
        await SendAsync(control, new ControlMessage.Auth("client-abcdefghijkm", "linux", "x86_64", "2.3.40", "2.3", token, ""));
        var answer = Assert.IsType<ControlMessage.AuthResp>(await ReceiveAsync(control));
        Assert.True(string.IsNullOrEmpty(answer.Error), answer.Error);
        return (control, answer.ClientId!);
    }

    private async Task<ControlMessage.NewTunnel> AskAsync(ClientWebSocket control, string name)
    {
        await SendAsync(control, new ControlMessage.ReqTunnel("req-1", "http", "", name, "", 0));
        while (true)
        {
            var message = await ReceiveAsync(control);
            if (message is ControlMessage.NewTunnel tunnel) return tunnel;
            Assert.IsType<ControlMessage.ReqProxy>(message);
        }
    }

    /// <summary>Opens a proxy connection and answers requests on it, one after another.</summary>
    private async Task ServeProxyAsync(TunnelHost host, string id, Func<ProxyRequest, ProxyResponse?> answer)
    {
        using var proxy = await DialAsync(host, "/api/v1/ws/proxy");
        await SendAsync(proxy, new ControlMessage.RegProxy(id));
        Assert.IsType<ControlMessage.StartProxy>(await ReceiveAsync(proxy));
        while (true)
        {
            var request = ProxyCodec.ReadRequest(Assert.IsType<ControlMessage.Proxy>(await ReceiveAsync(proxy)).Content);
            if (answer(request) is not { } response) return;
            await SendAsync(proxy, new ControlMessage.Proxy(ProxyCodec.Write(response)));
        }
    }

    private static ProxyResponse Text(int status, string body, params (string, string)[] headers) =>
        new(status, [.. headers.Select(h => new KeyValuePair<string, string>(h.Item1, h.Item2))], Encoding.UTF8.GetBytes(body));

    [Fact]
    public async Task WrongToken_IsToldInTheWordsThatClientsLookFor()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var control = await DialAsync(host, "/api/v1/ws/tunnel");
        await SendAsync(control, new ControlMessage.Auth("client-abcdefghijkm", "linux", "x86_64", "2.3.40", "2.3", "wrong", ""));
        Assert.Contains("Invalid auth token", Assert.IsType<ControlMessage.AuthResp>(await ReceiveAsync(control)).Error, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => ReceiveAsync(control));
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, control.CloseStatus);
    }

    [Fact]
    public async Task Login_IsFollowedByOneReqProxy_AndPingByPong()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (control, id) = await LogInAsync(host, await host.TokenAsync());
        Assert.StartsWith("sess-", id, StringComparison.Ordinal);
        Assert.IsType<ControlMessage.ReqProxy>(await ReceiveAsync(control));
        await SendAsync(control, new ControlMessage.Ping());
        await SendAsync(control, new ControlMessage.Heartbeat("not-mine", 1.5));
        await SendAsync(control, new ControlMessage.Ping());
        Assert.IsType<ControlMessage.Pong>(await ReceiveAsync(control));
        Assert.IsType<ControlMessage.Pong>(await ReceiveAsync(control));
        control.Dispose();
    }

    [Fact]
    public async Task Tunnel_CarriesRequests_OneAfterAnotherOnOneConnection()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (control, id) = await LogInAsync(host, await host.TokenAsync());
        var tunnel = await AskAsync(control, "demo");
        Assert.Equal(("req-1", "demo", "http"), (tunnel.ReqId, tunnel.Subdomain, tunnel.Protocol));
        var seen = new List<ProxyRequest>();
        var serving = ServeProxyAsync(host, id, request =>
        {
            seen.Add(request);
            return Text(200, "hello " + request.Path, ("Content-Type", "text/plain"));
        });
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello /a", await visitor.GetStringAsync("a?x=1", TestTimeout));
        using var posted = await visitor.PostAsync("b", new StringContent("body"), TestTimeout);
        Assert.Equal("hello /b", await posted.Content.ReadAsStringAsync(TestTimeout));
        Assert.Equal(("GET", "x=1"), (seen[0].Method, seen[0].Query));
        Assert.Equal("body", Encoding.UTF8.GetString(seen[1].Body.Span));
        Assert.Contains(seen[0].Headers, field => field.Key == "X-Forwarded-For" && field.Value == "127.0.0.1");
        control.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);
    }

    [Fact]
    public async Task ChunkFramingInABody_IsTakenOff()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (control, id) = await LogInAsync(host, await host.TokenAsync());
        await AskAsync(control, "demo");
        _ = ServeProxyAsync(host, id, _ => Text(200, "5\r\nhello\r\n0\r\n\r\n", ("Transfer-Encoding", "chunked")));
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", await visitor.GetStringAsync("", TestTimeout));
        control.Dispose();
    }

    [Fact]
    public async Task ProxyConnectionThatIsClosed_Gives502()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (control, id) = await LogInAsync(host, await host.TokenAsync());
        await AskAsync(control, "demo");
        _ = ServeProxyAsync(host, id, _ => null);
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        control.Dispose();
    }

    [Fact]
    public async Task BodyAboveTheClientsLimit_Gives413()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (control, _) = await LogInAsync(host, await host.TokenAsync());
        await AskAsync(control, "demo");
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.PostAsync("", new ByteArrayContent(new byte[4_000_001]), TestTimeout);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        control.Dispose();
    }

    [Fact]
    public async Task NameOfAnotherAccount_IsRefusedInBothSpellings()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (ann, _) = await LogInAsync(host, await host.TokenAsync());
        await AskAsync(ann, "demo");
        var (bob, _) = await LogInAsync(host, await host.TokenAsync());
        await SendAsync(bob, new ControlMessage.ReqTunnel("req-2", "http", "", "demo", "", 0));
        ControlMessage message;
        do message = await ReceiveAsync(bob);
        while (message is ControlMessage.ReqProxy);
        var error = Assert.IsType<ControlMessage.ErrorResp>(message);
        Assert.Equal(("req-2", "SUBDOMAIN_UNAVAILABLE"), (error.ReqId, error.Code));
        ann.Dispose();
        bob.Dispose();
    }

    [Fact]
    public async Task FiftyRequestsAtOnce_AreAllServed_WithAtMost49ProxyConnections()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (control, id) = await LogInAsync(host, await host.TokenAsync());
        await AskAsync(control, "demo");
        var opened = 1;
        var serving = ServeProxyAsync(host, id, _ => Text(200, "ok"));
        var pump = Task.Run(async () =>
        {
            while (true)
            {
                if (await ReceiveAsync(control) is not ControlMessage.ReqProxy) continue;
                Interlocked.Increment(ref opened);
                _ = ServeProxyAsync(host, id, _ => Text(200, "ok"));
            }
        }, TestTimeout);
        using var visitor = host.Visitor("demo");
        var answers = await Task.WhenAll(Enumerable.Range(0, 120).Select(_ => visitor.GetStringAsync("", TestTimeout)));
        Assert.All(answers, answer => Assert.Equal("ok", answer));
        Assert.InRange(opened, 1, 49 + 10);
        control.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => pump);
    }
}
