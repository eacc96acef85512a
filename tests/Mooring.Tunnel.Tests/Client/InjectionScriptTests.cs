using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

/// <summary>A server that tries to write lines of its own into the requests that the application gets, and settings that would.</summary>
public sealed class InjectionScriptTests : MooringTest
{
    private readonly List<string> _seen = [];

    private RawOrigin Origin() => new(async stream =>
    {
        while (await RawOrigin.ReadHeadAsync(stream) is { } head)
        {
            lock (_seen) _seen.Add(head);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
        }
    });

    [Theory]
    [InlineData("GET", "/ HTTP/1.1\r\nX-Forged: 1\r\nY:", "X", "1")]
    [InlineData("GET", "/a b", "X", "1")]
    [InlineData("GET", "/\0", "X", "1")]
    [InlineData("GET", "", "X", "1")]
    [InlineData("GET / HTTP/1.1\r\nX-Forged: 1\r\n\r\nGET", "/", "X", "1")]
    [InlineData("G T", "/", "X", "1")]
    [InlineData("GET", "/", "X", "1\r\nX-Forged: 1")]
    [InlineData("GET", "/", "X", "1\nX-Forged: 1")]
    [InlineData("GET", "/", "X: 1\r\nX-Forged", "1")]
    [InlineData("GET", "/", "X ", "1")]
    public async Task RequestOfGenerationB_ThatWouldBecomeAnother_IsAnsweredByTheClient(string method, string path, string name, string value)
    {
        await using var origin = Origin();
        var status = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await connection.WelcomeAsync(2, name: "myapp");
            await connection.SendAsync(output =>
            {
                var block = new HeaderBlock();
                block.Add("host", "myapp.example.org");
                block.Add(name, value);
                FrameWriter.WriteStreamOpen(output, new StreamOpening
                {
                    StreamId = 1, TunnelId = "myapp"u8, Mode = StreamMode.Http, Path = Encoding.UTF8.GetBytes(path), Headers = block.Encoded, Method = Encoding.UTF8.GetBytes(method),
                });
            });
            status.SetResult((await connection.HearAsync()).Status);
            await connection.UntilClosedAsync();
        });
        await using var client = await ConnectAsync(server, origin.Port, TunnelWire.B);
        Assert.Equal(400, await status.Task.WaitAsync(TestTimeout));
        Assert.Empty(_seen);
    }

    [Theory]
    [InlineData("GET", "/ HTTP/1.1\r\nX-Forged: 1\r\nY:", "X", "1")]
    [InlineData("GET / HTTP/1.1\r\nX-Forged: 1\r\n\r\nGET", "/", "X", "1")]
    [InlineData("GET", "/", "X", "1\r\nX-Forged: 1")]
    [InlineData("GET", "/", "X: 1\r\nX-Forged", "1")]
    [InlineData("GET", "@evil.example/", "X", "1")]
    [InlineData("GET", ":99999/", "X", "1")]
    [InlineData("GET", "/a b", "X", "1")]
    [InlineData("", "/", "X", "1")]
    public async Task RequestOfGenerationA_ThatWouldBecomeAnother_IsAnsweredByTheClient_AndTheNextIsServed(string method, string path, string name, string value)
    {
        await using var origin = Origin();
        var statuses = new TaskCompletionSource<int[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                await connection.HearAsync<ControlMessage.Auth>();
                await connection.SendAsync(new ControlMessage.AuthResp("srv-1", null, null, null));
                var asked = await connection.HearAsync<ControlMessage.ReqTunnel>();
                await connection.SendAsync(new ControlMessage.NewTunnel(asked.ReqId, "https://keep.t.test", "http", "keep", null, null));
                await connection.SendAsync(new ControlMessage.ReqProxy());
                await connection.UntilClosedAsync();
            },
            async proxy =>
            {
                await proxy.HearAsync<ControlMessage.RegProxy>();
                await proxy.SendAsync(new ControlMessage.StartProxy("https://keep.t.test", "192.0.2.7:50000", null));
                var heard = new int[2];
                foreach (var (i, request) in new[] { new ProxyRequest(method, path, "", [new(name, value)], default), new ProxyRequest("GET", "/a/../b%2Fc//d", "e=%20&f=?", [], default) }.Index())
                {
                    await proxy.SendAsync(new ControlMessage.Proxy(ProxyCodec.Write(request)));
                    heard[i] = ProxyCodec.ReadResponse((await proxy.HearAsync<ControlMessage.Proxy>()).Content).Status;
                }
                statuses.SetResult(heard);
                await proxy.UntilClosedAsync();
            });
        await using var client = await ConnectAsync(server, origin.Port, TunnelWire.A);
        var answered = await statuses.Task.WaitAsync(TestTimeout);
        Assert.Equal([400, 200], answered);
        Assert.StartsWith("GET /a/../b%2Fc//d?e=%20&f=? HTTP/1.1\r\n", Assert.Single(_seen), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evil.example\r\nX-Forged: 1")]
    [InlineData("evil.example\nX")]
    [InlineData("with space")]
    [InlineData("")]
    public async Task HostHeaderThatWouldBreakTheRequest_IsRefusedAtOnce(string hostHeader)
    {
        var refused = await Assert.ThrowsAsync<TunnelException>(() => TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = "127.0.0.1:1", Token = "t", Tunnels = [new TunnelDefinition { LocalPort = 1, HostHeader = hostHeader }] }, LoggerFactory, cancellationToken: TestTimeout));
        Assert.Equal(TunnelOutcome.Invalid, refused.Outcome);
        Assert.Contains("host header", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    private Task<TunnelClient> ConnectAsync(ScriptedServer server, int port, TunnelWire wire) => TunnelClient.ConnectAsync(
        new TunnelClientOptions { Server = server.Address, Token = "t", Wire = wire, Tunnels = [new TunnelDefinition { LocalPort = port, Subdomain = "myapp" }] },
        LoggerFactory, cancellationToken: TestTimeout);
}
