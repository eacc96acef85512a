using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mooring.SocketIO.Tests.Peers;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests.Server;

/// <summary>The server against socket.io-client of npm, over each of its transports.</summary>
public sealed class ForeignClientTests : MooringTest
{
    public static TheoryData<string> Transports => ["polling", "websocket", "polling,websocket"];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Connect_JoinsTheRootNamespace(string transports)
    {
        var server = await StartAsync();
        await using var client = Client(server, transports);
        var connect = await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        Assert.Contains(connect.GetProperty("transport").GetString()!, transports, StringComparison.Ordinal);
        var socket = Assert.Single(server.Root.Sockets);
        Assert.Equal(socket.Id, connect.GetProperty("id").GetString());
        Assert.Equal(1, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task Polling_IsTakenOverByAWebSocket()
    {
        var server = await StartAsync();
        await using var client = Client(server, "polling,websocket");
        await client.HeardAsync(TestTimeout, "\"on\":\"upgrade\"", "websocket");
        Assert.Equal(7, (await client.CallAsync("echo", [7], TestTimeout))[0].GetInt32());
        Assert.Equal(SocketIOTransports.WebSocket, Assert.Single(server.Root.Sockets).Transport);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task CallOfTheClient_IsAcknowledgedWithItsValues(string transports)
    {
        var server = await StartAsync();
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        var answer = await client.CallAsync("echo", ["größer € 😀", 1.5, null, true, new JsonObject { ["a"] = new JsonArray(1, 2) }], TestTimeout);
        Assert.Equal("[\"größer € 😀\",1.5,null,true,{\"a\":[1,2]}]", answer.GetRawText());
        Assert.Equal("[]", (await client.CallAsync("ack", [], TestTimeout)).GetRawText());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task CallOfTheServer_IsAcknowledgedByTheClient(string transports)
    {
        var server = await StartAsync();
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        var socket = Assert.Single(server.Root.Sockets);
        var reply = await socket.CallAsync("question", new SocketIOArguments().Add("größer").Add(42).AddJson("{\"a\":[]}"u8), TimeLimit, TestTimeout);
        Assert.Equal(("echo", "größer", 42, 4), (reply.GetString(0), reply.GetString(1), reply.GetInt64(2), reply.Count));
        Assert.Equal(0, (await socket.CallAsync("empty", null, TimeLimit, TestTimeout)).Count);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Attachments_TravelBothWays(string transports)
    {
        var server = await StartAsync();
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        byte[] bytes = [0, 1, 30, 255];
        var encoded = new JsonObject { ["base64"] = Convert.ToBase64String(bytes) };
        var answer = await client.CallAsync("binary", [encoded, "and text"], TestTimeout);
        Assert.Equal(Convert.ToBase64String([255, 30, 1, 0]), answer[0].GetProperty("base64").GetString());

        var socket = Assert.Single(server.Root.Sockets);
        var reply = await socket.CallAsync("picture", new SocketIOArguments().AddBinary(bytes).Add("x"), TimeLimit, TestTimeout);
        Assert.Equal(bytes, reply.GetBinary(1).ToArray());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task ManyCalls_AreAllAnsweredRight(string transports)
    {
        var server = await StartAsync();
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        await client.DoAsync(new JsonObject { ["do"] = "flood", ["name"] = "echo1", ["count"] = 3_000, ["bytes"] = 100 });
        var result = await client.HeardAsync(TestTimeout, "\"on\":\"flooded\"");
        Assert.Equal(0, result.GetProperty("wrong").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task BurstAcrossTheUpgrade_KeepsItsOrder(string transports)
    {
        const int Count = 2_000;
        var received = Channel.CreateBounded<long>(Count);
        var server = await StartAsync(setUp: s => s.Root.On("n", (_, e) => received.Writer.WriteAsync(e.GetInt64(0))));
        await using var client = Client(server, transports);
        await client.DoAsync(new JsonObject { ["do"] = "burst", ["name"] = "n", ["count"] = Count });
        for (var i = 0; i < Count; i++) Assert.Equal(i, await received.Reader.ReadAsync(TestTimeout));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task PingTimeout_IsNotMetWhileTheClientAnswers(string transports)
    {
        var clock = new TestClock();
        var options = new SocketIOServerOptions();
        var server = await StartAsync(options, time: clock);
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        // An upgrade that is going on would run out of time.
        if (transports.EndsWith("websocket", StringComparison.Ordinal))
            await Eventually.TrueAsync(() => server.Root.Sockets.Single().Transport == SocketIOTransports.WebSocket, "the WebSocket", TestTimeout);
        for (var i = 0; i < 20; i++)
        {
            // The interval runs again when the answer to the ping before has come.
            await clock.WhenTimerDueInAsync(options.PingInterval, TestTimeout);
            clock.Advance(options.PingInterval);
            Assert.Equal(i, (await client.CallAsync("echo", [i], TestTimeout))[0].GetInt32());
        }
        await clock.WhenTimerDueInAsync(options.PingInterval, TestTimeout);
        Assert.DoesNotContain(client.Lines, l => l.Contains("\"disconnect\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FrozenClient_IsGivenUpAfterThePingTimeout()
    {
        var left = Left(out var options, new SocketIOServerOptions { PingInterval = TimeSpan.FromMilliseconds(200), PingTimeout = TimeSpan.FromMilliseconds(400) });
        var server = await StartAsync(options, s => s.Root.OnDisconnected((_, reason) => left.TrySetResult(reason)));
        await using var client = Client(server, "websocket");
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        client.Process.Freeze();
        Assert.Equal(SocketIODisconnectReason.PingTimeout, await left.Task.WaitAsync(TestTimeout));
        Assert.Empty(server.Root.Sockets);
        client.Process.Thaw();
        await client.HeardAsync(TestTimeout, "\"on\":\"disconnect\"");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task LeavingClient_IsReportedOnce(string transports)
    {
        var left = Left(out _);
        var server = await StartAsync(setUp: s => s.Root.OnDisconnected((_, reason) => left.SetResult(reason)));
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        await client.DoAsync("leave");
        Assert.Equal(SocketIODisconnectReason.LeftByPeer, await left.Task.WaitAsync(TestTimeout));
    }

    [Fact]
    public async Task CutClient_IsReportedAsLostAndComesBack()
    {
        var left = Left(out _);
        var server = await StartAsync(setUp: s => s.Root.OnDisconnected((_, reason) => left.TrySetResult(reason)));
        await using var client = Client(server, "websocket");
        var first = await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        await client.DoAsync("cut");
        Assert.Equal(SocketIODisconnectReason.ConnectionLost, await left.Task.WaitAsync(TestTimeout));
        await client.HeardAsync(TestTimeout, "\"on\":\"disconnect\"");
        var id = first.GetProperty("id").GetString();
        await client.Process.LineAsync(
            l => l.Contains("\"on\":\"connect\"", StringComparison.Ordinal) && !l.Contains(id!, StringComparison.Ordinal), "a second connect", TestTimeout);
        Assert.Equal(3, (await client.CallAsync("echo", [3], TestTimeout))[0].GetInt32());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task DisconnectByTheServer_ReachesTheClient(string transports)
    {
        var server = await StartAsync();
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        Assert.Single(server.Root.Sockets).Disconnect();
        await client.HeardAsync(TestTimeout, "\"on\":\"disconnect\"", "io server disconnect");
        Assert.Empty(server.Root.Sockets);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Namespaces_AreSeparate(string transports)
    {
        var server = await StartAsync(setUp: s => s.Of("/plant").On("where", (_, e) => e.AckAsync(new SocketIOArguments().Add("plant"))));
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"", "\"nsp\":\"/\"");
        await client.DoAsync(new JsonObject { ["do"] = "join", ["nsp"] = "/plant" });
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"", "\"nsp\":\"/plant\"");
        Assert.Equal("plant", (await client.CallAsync("where", [], TestTimeout, "/plant"))[0].GetString());
        server.Server.Of("/plant").Broadcast("news", new SocketIOArguments().Add(1));
        Assert.Equal("/plant", (await client.HeardAsync(TestTimeout, "\"name\":\"news\"")).GetProperty("nsp").GetString());
        await client.DoAsync(new JsonObject { ["do"] = "leave", ["nsp"] = "/plant" });
        Assert.Equal(1, (await client.CallAsync("echo", [1], TestTimeout))[0].GetInt32());
        Assert.Single(server.Root.Sockets);
    }

    [Fact]
    public async Task UnknownNamespace_IsAConnectError()
    {
        var server = await StartAsync();
        await using var client = Client(server, "websocket");
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        await client.DoAsync(new JsonObject { ["do"] = "join", ["nsp"] = "/nowhere" });
        await client.HeardAsync(TestTimeout, "\"on\":\"connect_error\"", "\"nsp\":\"/nowhere\"", "Invalid namespace");
    }

    [Fact]
    public async Task RefusedClient_GetsTheErrorWithItsDetails()
    {
        var details = JsonDocument.Parse("{\"code\":7}").RootElement;
        var server = await StartAsync(setUp: s => s.Root.Admit((request, _) => new ValueTask<SocketIOConnectError?>(
            request.Auth.TryGetProperty("token", out var token) && token.GetString() == "right" ? null : new SocketIOConnectError("wrong token", details))));
        await using var wrong = RemoteControlled.Client(server.Address, Options("websocket"), auth: new JsonObject { ["token"] = "wrong" });
        var error = await wrong.HeardAsync(TestTimeout, "\"on\":\"connect_error\"", "wrong token");
        Assert.Equal(7, error.GetProperty("data").GetProperty("code").GetInt32());
        await using var right = RemoteControlled.Client(server.Address, Options("websocket"), auth: new JsonObject { ["token"] = "right" });
        await right.HeardAsync(TestTimeout, "\"on\":\"connect\"");
    }

    [Theory]
    [InlineData("polling")]
    [InlineData("websocket")]
    public async Task UnwantedConnection_IsRefusedAtItsFirstRequest(string transports)
    {
        var options = new SocketIOServerOptions { Admit = (_, _) => new ValueTask<SocketIORefusal?>(new SocketIORefusal(401, "who are you?")) };
        var server = await StartAsync(options);
        await using var client = Client(server, transports);
        await client.HeardAsync(TestTimeout, "\"on\":\"connect_error\"", "error");
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task Rooms_ReachTheirMembersOnly()
    {
        var server = await StartAsync();
        await using var first = Client(server, "websocket");
        await using var second = Client(server, "polling");
        var id = (await first.HeardAsync(TestTimeout, "\"on\":\"connect\"")).GetProperty("id").GetString();
        await second.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        server.Root.Sockets.Single(s => s.Id == id).Join("green");
        Assert.Equal(1, server.Root.Broadcast("to green", new SocketIOArguments().Add(1), room: "green"));
        Assert.Equal(2, server.Root.Broadcast("to all", new SocketIOArguments().Add(2)));
        await first.HeardAsync(TestTimeout, "to all");
        await second.HeardAsync(TestTimeout, "to all");
        Assert.Contains(first.Lines, l => l.Contains("to green", StringComparison.Ordinal));
        Assert.DoesNotContain(second.Lines, l => l.Contains("to green", StringComparison.Ordinal));
    }

    private static JsonObject Options(string transports) => new() { ["transports"] = new JsonArray([.. transports.Split(',').Select(t => JsonValue.Create(t))]) };

    private static RemoteControlled Client(ServerUnderTest server, string transports) => RemoteControlled.Client(server.Address, Options(transports));

    private static TaskCompletionSource<SocketIODisconnectReason> Left(out SocketIOServerOptions options, SocketIOServerOptions? wanted = null)
    {
        options = wanted ?? new SocketIOServerOptions();
        return new TaskCompletionSource<SocketIODisconnectReason>(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task<ServerUnderTest> StartAsync(SocketIOServerOptions? options = null, Action<SocketIOServer>? setUp = null, TimeProvider? time = null) =>
        Own(await ServerUnderTest.StartAsync(Log, options, server =>
        {
            server.Root
                .On("ack", (_, e) => e.AckAsync())
                .On("echo1", (_, e) => e.AckAsync(new SocketIOArguments().AddJson(e.GetJson(0))))
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
                    return e.AckAsync(new SocketIOArguments().AddBinary(bytes).Add(e.GetString(1)));
                });
            setUp?.Invoke(server);
        }, time));
}
