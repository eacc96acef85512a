using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.SocketIO.Tests.Peers;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests.Client;

/// <summary>The client against the server of npm, over each of its transports.</summary>
public sealed class ForeignServerTests : MooringTest
{
    private static readonly BackoffPolicy Soon = new() { First = TimeSpan.FromMilliseconds(10), Minimum = TimeSpan.FromMilliseconds(1), Cap = TimeSpan.FromMilliseconds(100) };

    public enum Way
    {
        Polling,
        WebSocket,
        PollingThenWebSocket,
    }

    public static TheoryData<Way> Ways => [Way.Polling, Way.WebSocket, Way.PollingThenWebSocket];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Connect_JoinsTheRootNamespace(Way way)
    {
        var (server, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        var seen = await server.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        Assert.Equal(seen.GetProperty("id").GetString(), client.Root.SocketId);
        Assert.Equal(way == Way.Polling ? SocketIOTransports.Polling : SocketIOTransports.WebSocket, client.Client.Transport);
        Assert.Equal(1_000_000, client.Client.ServerPayloadBytesMax);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task CallOfTheClient_IsAcknowledgedWithItsValues(Way way)
    {
        var (_, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        var reply = await client.Root.CallAsync(
            "echo", new SocketIOArguments().Add("größer € 😀").Add(7).Add(null).AddJson("{\"a\":[1,2]}"u8), TimeLimit, TestTimeout);
        Assert.Equal(("größer € 😀", 7, null, 4), (reply.GetString(0), reply.GetInt64(1), reply.GetString(2), reply.Count));
        Assert.Equal(2, reply.GetElement(3).GetProperty("a")[1].GetInt32());
        Assert.Equal(0, (await client.Root.CallAsync("empty", null, TimeLimit, TestTimeout)).Count);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task CallOfTheServer_IsAcknowledgedByTheClient(Way way)
    {
        var (server, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        var answer = await server.CallAsync("echo", ["größer", 42, new JsonObject { ["a"] = new JsonArray() }], TestTimeout);
        Assert.Equal("[\"größer\",42,{\"a\":[]}]", answer.GetRawText());
        Assert.Equal("[]", (await server.CallAsync("unknown event", [1], TestTimeout)).GetRawText());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Attachments_TravelBothWays(Way way)
    {
        var (server, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        byte[] bytes = [0, 1, 30, 255];
        var reply = await client.Root.CallAsync("echo", new SocketIOArguments().Add("x").AddBinary(bytes), TimeLimit, TestTimeout);
        Assert.Equal(bytes, reply.GetBinary(1).ToArray());

        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        var answer = await server.CallAsync("binary", [new JsonObject { ["base64"] = Convert.ToBase64String(bytes) }], TestTimeout);
        Assert.Equal(Convert.ToBase64String([255, 30, 1, 0]), answer[0].GetProperty("base64").GetString());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ManyEvents_ArriveOnceAndInOrder(Way way)
    {
        const int Count = 5_000;
        var (server, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        for (var i = 0; i < Count; i++)
            await client.Root.EmitAsync("count", new SocketIOArguments().Add(i).Add(i == Count - 1), TestTimeout);
        var counted = await server.HeardAsync(TestTimeout, "\"on\":\"counted\"");
        Assert.Equal((Count, 0), (counted.GetProperty("count").GetInt32(), counted.GetProperty("wrong").GetInt32()));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ManyEventsOfTheServer_ArriveOnceAndInOrder(Way way)
    {
        const int Count = 5_000;
        var received = Channel.CreateBounded<long>(Count);
        var (server, client) = await StartAsync(way, setUp: c => c.Root.On("n", (_, e) => received.Writer.WriteAsync(e.GetInt64(0))));
        await client.UpAsync(TestTimeout);
        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        await server.DoAsync(new JsonObject { ["do"] = "burst", ["name"] = "n", ["count"] = Count, ["bytes"] = 200 });
        for (var i = 0; i < Count; i++) Assert.Equal(i, await received.Reader.ReadAsync(TestTimeout));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task BigMessages_PassBothWays(Way way)
    {
        const int Bytes = 900_000;
        var (server, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        var text = new string('ä', Bytes / 2);
        Assert.Equal(text, (await client.Root.CallAsync("echo", new SocketIOArguments().Add(text), TimeLimit, TestTimeout)).GetString(0));
        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"");
    }

    [Fact]
    public async Task MessageLargerThanTheServerTakes_IsNotSentAndTheConnectionStays()
    {
        var (_, client) = await StartAsync(Way.WebSocket, serverOptions: new JsonObject { ["maxHttpBufferSize"] = 10_000 });
        await client.UpAsync(TestTimeout);
        var error = await Assert.ThrowsAsync<SocketIOCallException>(
            () => client.Root.CallAsync("echo", new SocketIOArguments().Add(new string('x', 20_000)), TimeLimit, TestTimeout));
        Assert.Equal(SocketIOCallError.TooLarge, error.Error);
        Assert.Equal(1, (await client.Root.CallAsync("echo", new SocketIOArguments().Add(1), TimeLimit, TestTimeout)).GetInt64(0));
    }

    [Fact]
    public async Task ServerThatGivesNoAnswer_TimesOut()
    {
        var (_, client) = await StartAsync(Way.WebSocket);
        await client.UpAsync(TestTimeout);
        var error = await Assert.ThrowsAsync<SocketIOCallException>(
            () => client.Root.CallAsync("silent", null, TimeSpan.FromMilliseconds(50), TestTimeout));
        Assert.Equal(SocketIOCallError.TimedOut, error.Error);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task CutConnection_FailsItsCallsAndIsMadeAnew(Way way)
    {
        var left = Channel.CreateBounded<SocketIODisconnectReason>(10);
        var (server, client) = await StartAsync(way, setUp: c => c.Root.OnDisconnected(reason => left.Writer.TryWrite(reason)));
        for (var i = 1; i <= 3; i++)
        {
            await client.UpAsync(TestTimeout, i);
            await server.HeardAsync(TestTimeout, "\"on\":\"connect\"", client.Root.SocketId!);
            var call = client.Root.CallAsync("silent", null, TimeLimit, TestTimeout);
            await server.DoAsync("cut");
            var error = await Assert.ThrowsAsync<SocketIOCallException>(() => call);
            Assert.Equal(SocketIOCallError.ConnectionLost, error.Error);
            Assert.Equal(SocketIODisconnectReason.ConnectionLost, await left.Reader.ReadAsync(TestTimeout));
        }
        await client.UpAsync(TestTimeout, 4);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task StopOfTheClient_TellsTheServer(Way way)
    {
        var (server, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        Assert.Equal(Reconnector.StoppedByRequest, await client.StopAsync());
        await server.HeardAsync(TestTimeout, "\"on\":\"disconnect\"", "client namespace disconnect");
        Assert.Equal(LinkState.Stopped, client.Client.Link.State);
    }

    [Theory]
    [InlineData(Way.Polling, false)]
    [InlineData(Way.WebSocket, false)]
    [InlineData(Way.Polling, true)]
    [InlineData(Way.WebSocket, true)]
    public async Task KickedClient_ComesBack(Way way, bool whole)
    {
        var (server, client) = await StartAsync(way);
        await client.UpAsync(TestTimeout);
        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        await server.DoAsync(new JsonObject { ["do"] = "kick", ["whole"] = whole });
        await client.UpAsync(TestTimeout, 2);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task FrozenServer_IsGivenUp(Way way)
    {
        var left = new TaskCompletionSource<SocketIODisconnectReason>(TaskCreationOptions.RunContinuationsAsynchronously);
        var clock = new TestClock();
        var patience = TimeSpan.FromSeconds(10);
        var (server, client) = await StartAsync(
            way, new JsonObject { ["pingInterval"] = 50, ["pingTimeout"] = (int)patience.TotalMilliseconds }, c => c.Root.OnDisconnected(reason => left.TrySetResult(reason)), time: clock);
        await client.UpAsync(TestTimeout);
        // Alive over many pings first, each of which is answered, and for longer than a silent server is waited for.
        for (var beats = 1; beats <= 5; beats++)
        {
            clock.Advance(patience);
            await Eventually.TrueAsync(() => server.Lines.Count(line => line.Contains("\"on\":\"heartbeat\"", StringComparison.Ordinal)) >= 2 * beats, "pings to be answered", TestTimeout);
            Assert.Equal(beats, (await client.Root.CallAsync("echo", new SocketIOArguments().Add(beats), TimeLimit, TestTimeout)).GetInt64(0));
        }
        server.Process.Freeze();
        await Eventually.TrueAsync(() => PassUntil(() => left.Task.IsCompleted, TimeSpan.FromSeconds(1)), "the silence to be noticed", TestTimeout);
        Assert.Equal(SocketIODisconnectReason.PingTimeout, await left.Task);
        server.Process.Thaw();
        var again = client.UpAsync(TestTimeout, 2);
        await Eventually.TrueAsync(() => PassUntil(() => again.IsCompleted, TimeSpan.FromMilliseconds(20)), "the next connection", TestTimeout);
        await again;

        bool PassUntil(Func<bool> condition, TimeSpan step)
        {
            if (!condition()) clock.Advance(step);
            return condition();
        }
    }

    [Fact]
    public async Task Namespaces_AreJoinedAndSeparate()
    {
        var (server, client) = await StartAsync(Way.WebSocket, setUp: c => c.Of("/plant").On("where", (nsp, e) => e.AckAsync(new SocketIOArguments().Add(nsp.Name))));
        await client.UpAsync(TestTimeout);
        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"", "\"nsp\":\"/plant\"");
        Assert.True(client.Client.Of("/plant").IsConnected);
        await server.DoAsync(new JsonObject { ["do"] = "call", ["nsp"] = "/plant", ["name"] = "where", ["tag"] = 99 });
        Assert.Equal("/plant", (await server.HeardAsync(TestTimeout, "\"tag\":99")).GetProperty("args")[0].GetString());
        await server.DoAsync(new JsonObject { ["do"] = "kick", ["nsp"] = "/plant" });
        await client.Client.Of("/").CallAsync("echo", null, TimeLimit, TestTimeout);
        Assert.True(client.Root.IsConnected);
    }

    [Fact]
    public async Task NamespaceAskedForLater_IsJoinedInTheLiveConnection()
    {
        var (_, client) = await StartAsync(Way.WebSocket);
        await client.UpAsync(TestTimeout);
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var plant = client.Client.Of("/plant").OnConnected(_ =>
        {
            joined.TrySetResult();
            return ValueTask.CompletedTask;
        });
        if (!plant.IsConnected) await joined.Task.WaitAsync(TestTimeout);
        Assert.Equal(1, (await plant.CallAsync("echo", new SocketIOArguments().Add(1), TimeLimit, TestTimeout)).GetInt64(0));
    }

    [Fact]
    public async Task RefusedClient_HearsWhyAndTriesAgain()
    {
        var refusals = Channel.CreateBounded<SocketIOConnectError>(10);
        var token = "{\"refuse\":\"wrong token\"}";
        var (_, client) = await StartAsync(Way.WebSocket, setUp: c => c.Root
            .AuthenticateWith(() => JsonDocument.Parse(Volatile.Read(ref token)).RootElement)
            .OnRefused(error => refusals.Writer.TryWrite(error)));
        var refusal = await refusals.Reader.ReadAsync(TestTimeout);
        Assert.Equal(("wrong token", 7), (refusal.Message, refusal.Details.GetProperty("code").GetInt32()));
        Assert.Contains("wrong token", await client.MovedAsync(LinkState.Waiting, TestTimeout, 2));
        Volatile.Write(ref token, "{}");
        await client.UpAsync(TestTimeout);
    }

    [Fact]
    public async Task ServerWithoutWebSockets_IsPolled()
    {
        var (_, client) = await StartAsync(Way.WebSocket, new JsonObject { ["transports"] = new JsonArray("polling") }, both: true);
        await client.UpAsync(TestTimeout);
        Assert.Equal(SocketIOTransports.Polling, client.Client.Transport);
        Assert.Equal(1, (await client.Root.CallAsync("echo", new SocketIOArguments().Add(1), TimeLimit, TestTimeout)).GetInt64(0));
    }

    [Fact]
    public async Task NobodyThere_IsTriedAgainUntilSomebodyIs()
    {
        var port = FreePort.Next();
        var client = Own(RunningClient.Start(
            new SocketIOClientOptions { Address = new Uri($"http://127.0.0.1:{port}"), BackoffUntilFirstConnect = BackoffPolicy.Fixed(TimeSpan.FromMilliseconds(20)) },
            LoggerFactory));
        await client.MovedAsync(LinkState.Waiting, TestTimeout, 3);
        Own(RemoteControlled.Server(port: port));
        await client.UpAsync(TestTimeout);
    }

    [Fact]
    public async Task NameThatNobodyKnows_IsToldAndAskedForAgain()
    {
        var client = Own(RunningClient.Start(
            new SocketIOClientOptions { Address = new Uri("http://no-such-host.invalid:3001"), BackoffUntilFirstConnect = BackoffPolicy.Fixed(TimeSpan.FromMilliseconds(20)) },
            LoggerFactory));
        Assert.Contains("no-such-host.invalid:3001", await client.MovedAsync(LinkState.Waiting, TestTimeout, 2));
    }

    [Fact]
    public async Task ConnectThatIsNotConfirmedInTime_CountsAsAFailure_AndIsTriedAgain()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0)).UseShutdownTimeout(TimeSpan.Zero);
        var server = Own(builder.Build());
        server.UseWebSockets();
        server.Run(async context =>
        {
            // It opens a session, and says nothing to the wish to join the namespace.
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync("""0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"""u8.ToArray(), WebSocketMessageType.Text, true, TestTimeout);
            while ((await socket.ReceiveAsync(new byte[100], context.RequestAborted)).MessageType != WebSocketMessageType.Close) continue;
        });
        await server.StartAsync(TestTimeout);
        var client = Own(RunningClient.Start(
            new SocketIOClientOptions
            {
                Address = new Uri(server.Urls.Single()), Transports = SocketIOTransports.WebSocket, ConnectTimeout = TimeSpan.FromMilliseconds(300),
                BackoffUntilFirstConnect = BackoffPolicy.Fixed(TimeSpan.FromMilliseconds(20)),
            }, LoggerFactory));
        Assert.Contains("no answer to the connect within 0.3 s", await client.MovedAsync(LinkState.Waiting, TestTimeout, 2));
    }

    private async Task<(RemoteControlled Server, RunningClient Client)> StartAsync(
        Way way, JsonObject? serverOptions = null, Action<SocketIOClient>? setUp = null, bool both = false, TimeProvider? time = null)
    {
        var server = Own(RemoteControlled.Server(serverOptions, tellsBeats: time is not null));
        var port = (await server.HeardAsync(TestTimeout, "\"on\":\"listening\"")).GetProperty("port").GetInt32();
        var options = new SocketIOClientOptions
        {
            Address = new Uri($"http://127.0.0.1:{port}"),
            Transports = both || way == Way.PollingThenWebSocket ? SocketIOTransports.Both
                : way == Way.Polling ? SocketIOTransports.Polling : SocketIOTransports.WebSocket,
            PollingFirst = way == Way.PollingThenWebSocket,
            Backoff = Soon,
        };
        return (server, Own(RunningClient.Start(options, LoggerFactory, client =>
        {
            client.Root
                .On("echo", (_, e) =>
                {
                    var all = new SocketIOArguments();
                    for (var i = 0; i < e.Count; i++) all.AddJson(e.GetJson(i));
                    return e.AckAsync(all);
                })
                .On("binary", (_, e) =>
                {
                    var bytes = e.GetBinary(0).ToArray();
                    bytes.AsSpan().Reverse();
                    return e.AckAsync(new SocketIOArguments().AddBinary(bytes));
                })
                .OnOther((_, e) => e.AckAsync());
            setUp?.Invoke(client);
        }, time)));
    }
}
