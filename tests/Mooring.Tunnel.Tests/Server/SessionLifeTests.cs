using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Clients' connections over time: signs of life, those that read nothing, the end of the server, and everybody's return.</summary>
public sealed class SessionLifeTests : MooringTest
{
    private readonly TestClock _clock = new();

    private Task<TunnelClient> ConnectAsync(TunnelHost host, string token, TunnelDefinition definition) => TunnelClient.ConnectAsync(
        new TunnelClientOptions { Server = host.Address, Token = token, Tunnels = [definition] }, LoggerFactory, cancellationToken: TestTimeout);

    private async Task<ClientWebSocket> DialAsync(TunnelHost host, int version = 2)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{host.Control}/api/v1/ws/tunnel"), TestTimeout);
        var token = await host.TokenAsync();
        await SendAsync(socket, output => FrameWriter.WriteAuth(output, token, version, Capabilities.None));
        Assert.Equal(FrameKind.HeartbeatAck, (await HearAsync(socket)).Kind);
        return socket;
    }

    private Task SendAsync(ClientWebSocket socket, Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return socket.SendAsync(output.WrittenMemory, WebSocketMessageType.Binary, endOfMessage: true, TestTimeout).AsTask();
    }

    private async Task<HeardFrame> HearAsync(ClientWebSocket socket)
    {
        var buffer = new byte[128 * 1024];
        var count = 0;
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(count), TestTimeout);
            if (part.MessageType == WebSocketMessageType.Close) throw new IOException("closed");
            count += part.Count;
        }
        while (!part.EndOfMessage);
        return HeardFrame.Of(buffer[..count]);
    }

    [Fact]
    public async Task ClientIsAskedForASignOfLifeEvery30s_AndClosedWhenThreeAreNotAnswered()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, time: _clock));
        using var lively = await DialAsync(host);
        using var silent = await DialAsync(host);
        var period = new TunnelServerLimits().HeartbeatPeriod;
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(period);
            Assert.Equal(FrameKind.Heartbeat, (await HearAsync(lively)).Kind);
            Assert.Equal(FrameKind.Heartbeat, (await HearAsync(silent)).Kind);
            await SendAsync(lively, FrameWriter.WriteHeartbeatAck);
            await Eventually.TrueAsync(() => host.Server.Sessions.All.Any(session => session.Link.Silence == TimeSpan.Zero), "the answer has arrived", TestTimeout);
        }
        Assert.Equal(2, host.Server.Sessions.Count);
        _clock.Advance(period - TimeSpan.FromSeconds(20));
        await Assert.ThrowsAnyAsync<Exception>(() => HearAsync(silent));
        await Eventually.TrueAsync(() => host.Server.Sessions.Count == 1, "the silent one is gone", TestTimeout);
        await SendAsync(lively, FrameWriter.WriteHeartbeatAck);
        Assert.Contains(Log.Entries, entry => entry.Event.Id == 6005 && entry.Message.Contains("no sign of life", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ClientThatReadsNothing_IsClosedWhenItsQueueStandsStillFor30s_AndItsVisitorsAreTold()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, time: _clock));
        using var socket = await DialAsync(host);
        await SendAsync(socket, output => FrameWriter.WriteTunnelCreate(output, new TunnelRequest("http", "demo")));
        Assert.Equal(FrameKind.TunnelCreated, (await HearAsync(socket)).Kind);
        using var visitor = host.Visitor("demo");
        var begun = _clock.GetUtcNow();
        var posting = visitor.PostAsync("", new ByteArrayContent(new byte[64 * 1024 * 1024]), TestTimeout);
        var session = host.Server.Sessions.All.Single();
        await Eventually.TrueAsync(() => session.Link.QueuedBytes > session.Link.Limits.SendHighBytes, "the queue is full", TestTimeout);
        _clock.Advance(new LinkLimits().SendTimeout);
        while (!posting.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(posting, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestTimeout));
        }
        // Some visitors are still sending when they are told, and then see only the end.
        if (await Task.WhenAny(posting) is { IsCompletedSuccessfully: true }) Assert.Equal(HttpStatusCode.BadGateway, (await posting).StatusCode);
        else await Assert.ThrowsAsync<HttpRequestException>(() => posting);
        Assert.True(_clock.GetUtcNow() - begun < new TunnelServerLimits().SilenceMax, "it is not the silence that ended it");
    }

    [Fact]
    public async Task ServerThatStops_LetsRequestsEnd_AndTellsClientsToComeBack()
    {
        var (reached, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst"u8.ToArray());
            reached.SetResult();
            await go.Task;
            await stream.WriteAsync("later"u8.ToArray());
        });
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Limits = new TunnelServerLimits { DrainTimeout = TimeSpan.FromMinutes(1) } }));
        await using var client = await ConnectAsync(host, await host.TokenAsync(), new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        var asking = visitor.GetStringAsync("", TestTimeout);
        await reached.Task.WaitAsync(TestTimeout);
        var stopping = host.Server.StopAsync(TestTimeout);
        await LoggedAsync(6007);
        Assert.False(stopping.IsCompleted);
        Assert.False(host.Server.IsReady);
        using var late = new ClientWebSocket();
        late.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => late.ConnectAsync(new Uri($"ws://{host.Control}/api/v1/ws/tunnel"), TestTimeout));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.HttpStatusCode);
        go.SetResult();
        Assert.Equal("firstlater", await asking);
        await stopping.WaitAsync(TestTimeout);
        var ended = await LoggedAsync(6511);
        Assert.Contains("the server stops", ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerThatStops_DoesNotWaitForEverForARequest()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst"u8.ToArray());
            reached.SetResult();
            await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        });
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Limits = new TunnelServerLimits { DrainTimeout = TimeSpan.FromMilliseconds(300) } }));
        await using var client = await ConnectAsync(host, await host.TokenAsync(), new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        using var visitor = host.Visitor("demo");
        var asking = visitor.GetStringAsync("", TestTimeout);
        await reached.Task.WaitAsync(TestTimeout);
        await host.Server.StopAsync(TestTimeout);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => asking);
    }

    [Fact]
    public async Task TwoHundredClients_AreAllBackUnderTheirNames_AfterTheServerStartsAgain()
    {
        const int Clients = 200;
        var folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
        var origin = Own(await WebOrigin.StartAsync());
        var first = await TunnelHost.StartAsync(LoggerFactory, options => options with { Quota = new Quota(Clients, Clients, 100, 0) }, folder);
        var control = first.Control;
        var token = await first.TokenAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => ConnectAsync(first, token, new TunnelDefinition { LocalPort = origin.Port })));
        var names = clients.Select(client => client.Tunnels[0].Subdomain).ToArray();
        Assert.Equal(Clients, names.Distinct().Count());
        await first.DisposeAsync();
        await using (var second = await TunnelHost.StartAsync(LoggerFactory, options => options with { Control = control, Quota = new Quota(Clients, Clients, 100, 0) }, folder))
        {
            await Eventually.TrueAsync(() => second.Server.Directory.Count == Clients && clients.All(client => client.Status.IsConnected), "everybody is back", TestTimeout);
            Assert.Equal(names, clients.Select(client => client.Tunnels[0].Subdomain));
            foreach (var name in names.Take(10))
            {
                using var visitor = second.Visitor(name);
                Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
            }
            await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
        }
        Directory.Delete(folder, recursive: true);
    }
}
