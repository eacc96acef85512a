using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests.Server;

/// <summary>Clients that break the protocol, guess, flood, or take nothing. None of them may harm the server or the others.</summary>
public sealed class HostileClientTests : MooringTest
{
    private static readonly SocketIOServerOptions Impatient = new()
    {
        PingInterval = TimeSpan.FromMilliseconds(200),
        PingTimeout = TimeSpan.FromMilliseconds(300),
        UpgradeTimeout = TimeSpan.FromMilliseconds(300),
        JoinTimeout = TimeSpan.FromMilliseconds(300),
    };

    private readonly HttpClient _http = new();

    [Theory]
    [InlineData("GET", "EIO=4", 400, 0)]
    [InlineData("GET", "EIO=4&transport=carrier-pigeon", 400, 0)]
    [InlineData("GET", "EIO=4&transport=websocket", 400, 3)]
    [InlineData("GET", "EIO=3&transport=polling", 400, 5)]
    [InlineData("GET", "transport=polling", 400, 5)]
    [InlineData("GET", "EIO=4&transport=polling&sid=guess", 400, 1)]
    [InlineData("POST", "EIO=4&transport=polling&sid=guess", 400, 1)]
    [InlineData("POST", "EIO=4&transport=polling", 400, 2)]
    [InlineData("PUT", "EIO=4&transport=polling", 400, 2)]
    [InlineData("DELETE", "EIO=4&transport=polling&sid=guess", 400, 2)]
    public async Task WrongRequest_IsRefusedWithItsCode(string method, string query, int status, int code)
    {
        var server = await StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), RawClient.Query(server, query));
        using var response = await _http.SendAsync(request, TestTimeout);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestTimeout)).RootElement.GetProperty("code").GetInt32());
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task SessionThatEndsInTheMiddleOfItsUpgrade_IsToldOverTheWebSocket()
    {
        var joined = new TaskCompletionSource<SocketIOServerSocket>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ServerUnderTest.StartAsync(Log, setUp: s => s.Root.OnConnected(socket =>
        {
            joined.SetResult(socket);
            return ValueTask.CompletedTask;
        }));
        using var http = new HttpClient();
        var sid = await RawClient.OpenAsync(http, server, TestTimeout);
        using (await RawClient.PostAsync(http, server, sid, "40", TestTimeout)) Assert.StartsWith("40", await RawClient.PollAsync(http, server, sid, TestTimeout));
        using var socket = await RawClient.WebSocketAsync(server, TestTimeout, sid);
        await socket.SendAsync("2probe", TestTimeout);
        Assert.Equal("3probe", await socket.ReceiveAsync(TestTimeout));
        Assert.Equal("6", await RawClient.PollAsync(http, server, sid, TestTimeout));
        // The client has put polling aside and is about to move: now it is sent away.
        (await joined.Task.WaitAsync(TestTimeout)).DisconnectConnection();
        await socket.SendAsync("5", TestTimeout);
        // It hears the end when it has moved, and by a proper close: one before would leave it on a polling that it does not resume.
        Assert.Null(await socket.ReceiveAsync(TestTimeout));
        Assert.Equal(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task PageOfAnotherOrigin_IsRefusedUnlessAllowed()
    {
        var server = await StartAsync(new SocketIOServerOptions { AllowedOrigins = ["https://app.example.org"] });
        foreach (var (origin, status) in new[] { ("https://evil.example.org", 403), ("https://app.example.org", 200) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, RawClient.Query(server, "EIO=4&transport=polling"));
            request.Headers.Add("Origin", origin);
            using var response = await _http.SendAsync(request, TestTimeout);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("0{}")]
    [InlineData("2")]
    [InlineData("5")]
    [InlineData("4")]
    [InlineData("49")]
    [InlineData("42")]
    [InlineData("42[")]
    [InlineData("42{}")]
    [InlineData("42[]")]
    [InlineData("42[1]")]
    [InlineData("42[\"connect\"]")]
    [InlineData("42[\"x\"] ]")]
    [InlineData("4207[\"x\"]")]
    [InlineData("4299999999999999999[\"x\"]")]
    [InlineData("43[]")]
    [InlineData("44{\"message\":\"no\"}")]
    [InlineData("40[]")]
    [InlineData("40{}")]
    [InlineData("45999-[\"x\"]")]
    [InlineData("451-[\"x\"]", "42[\"x\"]")]
    public async Task FrameAgainstTheProtocol_EndsTheSessionAlone(params string[] frames)
    {
        var server = await StartAsync();
        using var good = await RawClient.WebSocketAsync(server, TestTimeout);
        await good.JoinAsync(TestTimeout);
        using var bad = await RawClient.WebSocketAsync(server, TestTimeout);
        await bad.JoinAsync(TestTimeout);
        foreach (var frame in frames) await bad.SendAsync(frame, TestTimeout);
        Assert.Null(await bad.ReceiveAsync(TestTimeout));
        await LoggedAsync(3511);

        await good.SendAsync("421[\"echo\",5]", TestTimeout);
        Assert.Equal("431[5]", await good.ReceiveAsync(TestTimeout));
        Assert.Equal(1, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task BinaryThatNothingAnnounced_EndsTheSession()
    {
        var server = await StartAsync();
        using var bad = await RawClient.WebSocketAsync(server, TestTimeout);
        await bad.JoinAsync(TestTimeout);
        await bad.SendAsync(new byte[] { 1 }, WebSocketMessageType.Binary, true, TestTimeout);
        Assert.Null(await bad.ReceiveAsync(TestTimeout));
    }

    [Theory]
    [InlineData("4")]
    [InlineData("")]
    [InlineData("42[\"echo\",1]\u001e")]
    [InlineData("\u001e")]
    [InlineData("b!!!")]
    public async Task PollingBodyAgainstTheProtocol_IsRefusedAndEndsTheSession(string body)
    {
        var server = await StartAsync();
        var sid = await JoinedPollerAsync(server);
        using var response = await RawClient.PostAsync(_http, server, sid, body, TestTimeout);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HugePollingBody_IsRefusedBeforeItIsHeld(bool announcesItsLength)
    {
        var server = await StartAsync(new SocketIOServerOptions { Limits = new SocketIOLimits { PayloadBytesMax = 10_000 } });
        var sid = await JoinedPollerAsync(server);
        using var request = new HttpRequestMessage(HttpMethod.Post, RawClient.Query(server, "EIO=4&transport=polling&sid=" + sid));
        request.Content = new StringContent("42[\"x\",\"" + new string('x', 20_000) + "\"]");
        if (!announcesItsLength) request.Headers.TransferEncodingChunked = true;
        using var response = await _http.SendAsync(request, TestTimeout);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task HugeFrame_EndsTheSession()
    {
        var server = await StartAsync(new SocketIOServerOptions { Limits = new SocketIOLimits { PayloadBytesMax = 10_000 } });
        using var bad = await RawClient.WebSocketAsync(server, TestTimeout);
        await bad.JoinAsync(TestTimeout);
        await bad.SendAsync(new string('4', 20_000), TestTimeout);
        Assert.Null(await bad.ReceiveAsync(TestTimeout));
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, bad.CloseStatus);
    }

    [Fact]
    public async Task ManyAttachments_CountAsOneFrame()
    {
        var server = await StartAsync(new SocketIOServerOptions { Limits = new SocketIOLimits { PayloadBytesMax = 10_000 } });
        using var bad = await RawClient.WebSocketAsync(server, TestTimeout);
        await bad.JoinAsync(TestTimeout);
        await bad.SendAsync("4510-[\"x\"]", TestTimeout);
        for (var i = 0; i < 3; i++) await bad.SendAsync(new byte[4_000], WebSocketMessageType.Binary, true, TestTimeout);
        Assert.Null(await bad.ReceiveAsync(TestTimeout));
    }

    [Fact]
    public async Task TwoPollsAtOnce_EndTheSession()
    {
        var server = await StartAsync();
        var sid = await JoinedPollerAsync(server);
        // Whichever comes second is refused; the other one learns that the session has ended.
        await Assert.ThrowsAsync<HttpRequestException>(() => Task.WhenAll(
            RawClient.PollAsync(_http, server, sid, TestTimeout), RawClient.PollAsync(_http, server, sid, TestTimeout)));
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task GuessedSessionIds_FindNothing()
    {
        var server = await StartAsync();
        var sid = await JoinedPollerAsync(server);
        var random = new Random(1);
        for (var i = 0; i < 1_000; i++)
        {
            var guess = sid.ToCharArray();
            guess[random.Next(guess.Length)] = (char)('A' + random.Next(26));
            if (new string(guess) == sid) continue;
            using var response = await _http.GetAsync(RawClient.Query(server, "EIO=4&transport=polling&sid=" + new string(guess)), TestTimeout);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
        Assert.Equal(1, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task PollerThatNeverPolls_IsGivenUp()
    {
        var left = new TaskCompletionSource<SocketIODisconnectReason>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = await StartAsync(Impatient, s => s.Root.OnDisconnected((_, reason) => left.TrySetResult(reason)));
        await JoinedPollerAsync(server);
        Assert.Equal(SocketIODisconnectReason.PingTimeout, await left.Task.WaitAsync(TestTimeout));
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task ConnectionThatJoinsNothing_IsGivenUp()
    {
        var server = await StartAsync(Impatient);
        using var idle = await RawClient.WebSocketAsync(server, TestTimeout);
        while (await idle.ReceiveAsync(TestTimeout) is { } packet)
            if (packet == "2") await idle.SendAsync("3", TestTimeout);
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0, "the end of the connection", TestTimeout);
        await Log.WhenAsync(e => e.Message.Contains(nameof(SocketIODisconnectReason.NeverJoined), StringComparison.Ordinal), TestTimeout);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task ClockThatIsSetByADay_EndsNoConnectionThatIsAboutToJoin_AndSparesNoneThatDoesNot(int days)
    {
        var clock = new TestClock();
        var options = new SocketIOServerOptions { PingInterval = TimeSpan.FromSeconds(4), PingTimeout = TimeSpan.FromSeconds(20), JoinTimeout = TimeSpan.FromSeconds(10) };
        var server = Own(await ServerUnderTest.StartAsync(Log, options, time: clock));
        using var idle = await RawClient.WebSocketAsync(server, TestTimeout);
        clock.Set(TimeSpan.FromDays(days));
        await PingAsync();
        await PingAsync();
        await clock.WhenTimerDueInAsync(options.PingInterval, TestTimeout);
        clock.Advance(options.PingInterval);
        Assert.Null(await idle.ReceiveAsync(TestTimeout));
        await Log.WhenAsync(e => e.Message.Contains(nameof(SocketIODisconnectReason.NeverJoined), StringComparison.Ordinal), TestTimeout);

        async Task PingAsync()
        {
            await clock.WhenTimerDueInAsync(options.PingInterval, TestTimeout);
            clock.Advance(options.PingInterval);
            while (await idle.ReceiveAsync(TestTimeout) is { } packet && packet != "2") Assert.StartsWith("0", packet);
            await idle.SendAsync("3", TestTimeout);
        }
    }

    [Fact]
    public async Task WebSocketThatProvesNothing_LeavesPollingAlone()
    {
        var server = await StartAsync(Impatient with { PingInterval = TimeSpan.FromSeconds(20), PingTimeout = TimeSpan.FromSeconds(20) });
        var sid = await JoinedPollerAsync(server);
        using var silent = await RawClient.WebSocketAsync(server, TestTimeout, sid);
        Assert.Null(await silent.ReceiveAsync(TestTimeout));
        using var wrong = await RawClient.WebSocketAsync(server, TestTimeout, sid);
        await wrong.SendAsync("42[\"echo\",1]", TestTimeout);
        Assert.Null(await wrong.ReceiveAsync(TestTimeout));
        using var posted = await RawClient.PostAsync(_http, server, sid, "420[\"echo\",1]", TestTimeout);
        Assert.Equal(HttpStatusCode.OK, posted.StatusCode);
        Assert.Equal("430[1]", await RawClient.PollAsync(_http, server, sid, TestTimeout));
    }

    [Fact]
    public async Task ClientThatTakesNothing_LosesItsConnectionToABroadcast()
    {
        var left = new TaskCompletionSource<SocketIODisconnectReason>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = await StartAsync(
            new SocketIOServerOptions { Limits = new SocketIOLimits { OutboxBytesMax = 100_000 } },
            s => s.Root.OnDisconnected((_, reason) => left.TrySetResult(reason)));
        using var good = await RawClient.WebSocketAsync(server, TestTimeout);
        await good.JoinAsync(TestTimeout);
        using var socket = await DeafAsync(server);
        var text = new SocketIOArguments().Add(new string('x', 10_000));
        while (!left.Task.IsCompleted)
        {
            server.Root.Broadcast("news", text);
            Assert.StartsWith("42[\"news\"", await good.ReceiveAsync(TestTimeout), StringComparison.Ordinal);
        }
        Assert.Equal(SocketIODisconnectReason.SlowPeer, await left.Task);
        Assert.Equal(1, server.Root.Broadcast("news", text));
    }

    [Fact]
    public async Task EventThatWaitsForADeafClient_EndsWithItsConnection()
    {
        var server = await StartAsync(Impatient with { Limits = new SocketIOLimits { OutboxBytesMax = 100_000 } });
        using var socket = await DeafAsync(server);
        var deaf = server.Root.Sockets.Single();
        var text = new SocketIOArguments().Add(new string('x', 10_000));
        var error = await Assert.ThrowsAsync<SocketIOCallException>(async () =>
        {
            while (true) await deaf.EmitAsync("news", text, TestTimeout);
        });
        Assert.Equal(SocketIOCallError.NotConnected, error.Error);
    }

    [Fact]
    public async Task TooManyConnections_AreRefused()
    {
        var server = await StartAsync(new SocketIOServerOptions { ConnectionsMax = 2 });
        using var first = await RawClient.WebSocketAsync(server, TestTimeout);
        using var second = await RawClient.WebSocketAsync(server, TestTimeout);
        using var response = await _http.GetAsync(RawClient.Query(server, "EIO=4&transport=polling"), TestTimeout);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        first.Abort();
        await LoggedAsync(3510);
        await RawClient.OpenAsync(_http, server, TestTimeout);
    }

    [Fact]
    public async Task BusyHandlers_HoldBackTheirClientOnly()
    {
        const int HandlersMax = 4;
        var running = 0;
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = await StartAsync(new SocketIOServerOptions { Limits = new SocketIOLimits { HandlersMax = HandlersMax } }, s => s.Root.On("slow", async (_, _) =>
        {
            if (Interlocked.Increment(ref running) == HandlersMax) full.SetResult();
            await release.Task;
        }));
        using var busy = await RawClient.WebSocketAsync(server, TestTimeout);
        await busy.JoinAsync(TestTimeout);
        for (var i = 0; i < 100; i++) await busy.SendAsync("42[\"slow\"]", TestTimeout);
        await full.Task.WaitAsync(TestTimeout);
        using var other = await RawClient.WebSocketAsync(server, TestTimeout);
        await other.JoinAsync(TestTimeout);
        await other.SendAsync("421[\"echo\",5]", TestTimeout);
        Assert.Equal("431[5]", await other.ReceiveAsync(TestTimeout));
        Assert.Equal(HandlersMax, Volatile.Read(ref running));
        release.SetResult();
        await busy.SendAsync("421[\"echo\",6]", TestTimeout);
        Assert.Equal("431[6]", await busy.ReceiveAsync(TestTimeout));
        Assert.Equal(100, Volatile.Read(ref running));
    }

    public override ValueTask DisposeAsync()
    {
        _http.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>Joins over a WebSocket with the smallest of receive buffers and never reads again.</summary>
    private async Task<Socket> DeafAsync(ServerUnderTest server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1024 };
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port, TestTimeout);
        var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {server.Address.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Convert.ToBase64String(new byte[16])}\r\n\r\n"), TestTimeout);
        // A masked text frame with "40".
        await stream.WriteAsync(new byte[] { 0x81, 0x82, 0, 0, 0, 0, (byte)'4', (byte)'0' }, TestTimeout);
        var seen = "";
        var buffer = new byte[512];
        while (!seen.Contains("40{\"sid\"", StringComparison.Ordinal))
            seen += Encoding.Latin1.GetString(buffer, 0, await stream.ReadAsync(buffer, TestTimeout));
        return socket;
    }

    private async Task<string> JoinedPollerAsync(ServerUnderTest server)
    {
        var sid = await RawClient.OpenAsync(_http, server, TestTimeout);
        using var posted = await RawClient.PostAsync(_http, server, sid, "40", TestTimeout);
        Assert.Equal("ok", await posted.Content.ReadAsStringAsync(TestTimeout));
        Assert.StartsWith("40{\"sid\"", await RawClient.PollAsync(_http, server, sid, TestTimeout), StringComparison.Ordinal);
        return sid;
    }

    private async Task<ServerUnderTest> StartAsync(SocketIOServerOptions? options = null, Action<SocketIOServer>? setUp = null) =>
        Own(await ServerUnderTest.StartAsync(Log, options, server =>
        {
            server.Root.On("echo", (_, e) => e.AckAsync(new SocketIOArguments().AddJson(e.GetJson(0))));
            setUp?.Invoke(server);
        }));
}
