using System.Net;
using System.Net.WebSockets;
using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Http;

/// <summary>WebSocket, with both protocols.</summary>
public sealed class SocketTests : ChatTest
{
    private static readonly ChatOptions Both = Standard with { Mode = ChatMode.Both };

    private async Task<SocketConnection> OpenAsync(ChatServer server, string path, string? protocol = "chat.v1.json", string? origin = null) =>
        Own(await SocketConnection.OpenAsync(server, path, protocol, TestTimeout, origin));

    [Fact]
    public async Task C25_C26_text_protocol_frame_by_frame()
    {
        var server = await StartAsync(Both);
        var tcp = await JoinAsync(server, "tcp");
        var ws = await OpenAsync(server, "/ws/w/main", protocol: null);
        var register = await ws.ReadJsonAsync();
        Assert.Equal(("register", "registered", "w", "main"), (
            register.GetProperty("type").GetString(), register.GetProperty("status").GetString(),
            register.GetProperty("client_id").GetString(), register.GetProperty("chat_room").GetString()));
        await tcp.ExpectAsync("MSG main:server Client w has joined Chat room main");
        await ws.SendAsync("SEND  two  blanks");
        Assert.Equal(" two  blanks", await ws.ReadAsync());
        Assert.Equal("""{"type":"send","status":"sent","room":"main","seq":1}""", await ws.ReadAsync());
        await tcp.ExpectAsync("MSG main:w  two  blanks");
        await tcp.SayAsync("SEND main:tcp hi", "MSG main:tcp hi");
        Assert.Equal("hi", await ws.ReadAsync());
        await ws.SendAsync("nonsense");
        Assert.Equal("unknown-command", (await ws.ReadJsonAsync()).GetProperty("code").GetString());
        await ws.SendAsync("TELL tcp psst");
        await tcp.ExpectAsync("MSG FROM main:w psst");
        Assert.Equal("tell", (await ws.ReadJsonAsync()).GetProperty("type").GetString());
        await ws.SendAsync("PING");
        Assert.Equal("""{"type":"pong"}""", await ws.ReadAsync());
        await ws.SendAsync("QUIT");
        Assert.Equal("""{"type":"close","status":"closed","reason":"quit"}""", await ws.ReadAsync());
        Assert.Null(await ws.ReadAsync());
        Assert.Equal(WebSocketCloseStatus.NormalClosure, ws.Socket.CloseStatus);
        await tcp.ExpectAsync("MSG main:server Client w has left Chat room main");
    }

    [Fact]
    public async Task C25_json_protocol_frame_by_frame()
    {
        var server = await StartAsync(Both);
        var a = await OpenAsync(server, "/ws/a/main");
        await a.ReadJsonAsync("register");
        var b = await OpenAsync(server, "/ws/b/main");
        await b.ReadJsonAsync("register");
        Assert.Equal("Client b has joined Chat room main", (await a.ReadJsonAsync("notice")).GetProperty("text").GetString());
        var joined = await a.ReadJsonAsync("event");
        Assert.Equal(("join", "b"), (joined.GetProperty("event").GetString(), joined.GetProperty("client_id").GetString()));
        await a.SendAsync("""{"type":"send","text":"<b>hi</b>\n\"q\"","ref":7}""");
        foreach (var member in new[] { a, b })
        {
            var message = await member.ReadJsonAsync("message");
            Assert.Equal(("main", "a", "<b>hi</b>\n\"q\"", 1), (
                message.GetProperty("room").GetString(), message.GetProperty("from").GetString(),
                message.GetProperty("text").GetString(), message.GetProperty("seq").GetInt32()));
        }
        Assert.Equal(7, (await a.ReadJsonAsync("send")).GetProperty("ref").GetInt32());
        await a.SendAsync("""{"type":"new","room":"dev"}""");
        await a.ReadJsonAsync("new");
        await b.SendAsync("""{"type":"join","room":"dev"}""");
        await b.ReadJsonAsync("join");
        await b.SendAsync("""{"type":"tell","room":"dev","to":["a"],"text":"psst"}""");
        Assert.Equal("psst", (await a.ReadJsonAsync("direct")).GetProperty("text").GetString());
        await b.SendAsync("""{"type":"history","room":"main","last":5}""");
        Assert.Equal(1, (await b.ReadJsonAsync("history")).GetProperty("messages").GetArrayLength());
        await b.SendAsync("""{"type":"list","list_type":"ALL"}""");
        Assert.Equal("CONNECTED", (await b.ReadJsonAsync("list")).GetProperty("chatroom_list").GetProperty("dev").GetProperty("b").GetProperty("status").GetString());
        foreach (var wrong in new[] { "[]", "{", "5", "{\"type\":5}", "{} x", "{\"type\":\"send\",\"text\":5}" })
        {
            await b.SendAsync(wrong);
            Assert.Equal("bad-argument", (await b.ReadJsonAsync("error")).GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task C27_who_comes_back_gets_exactly_what_it_missed()
    {
        var server = await StartAsync(Both with { Limits = new ChatLimits { HistorySize = 10 } });
        var first = await OpenAsync(server, "/ws/w/main");
        var epoch = (await first.ReadJsonAsync("register")).GetProperty("epoch").GetString();
        await first.DisposeAsync();
        await Eventually.TrueAsync(() => !server.Hub.TryFindClient("w", out _), "the end of w", TestTimeout);
        var tcp = await JoinAsync(server, "tcp");
        for (var i = 1; i <= 5; i++) await tcp.SendAsync($"SEND main:tcp {i}");
        await tcp.SayAsync("CAPS acks", [.. Enumerable.Range(1, 5).Select(i => $"MSG main:tcp {i}"), "OK CAPS *:tcp acks"]);
        var again = await OpenAsync(server, $"/ws/w/main?since={epoch}:2");
        await again.ReadJsonAsync("register");
        Assert.False((await again.ReadJsonAsync("replay")).GetProperty("truncated").GetBoolean());
        for (var i = 3; i <= 5; i++) Assert.Equal(i, (await again.ReadJsonAsync()).GetProperty("seq").GetInt32());
        for (var i = 0; i < 10; i++) await tcp.SendAsync("SEND main:tcp x");
        for (var i = 6; i <= 15; i++) Assert.Equal(i, (await again.ReadJsonAsync("message")).GetProperty("seq").GetInt32());
        var late = await OpenAsync(server, $"/ws/l/main?since={epoch}:2");
        Assert.True((await late.ReadJsonAsync("replay")).GetProperty("truncated").GetBoolean());
        Assert.Equal(6, (await late.ReadJsonAsync("message")).GetProperty("seq").GetInt32());
        var other = await OpenAsync(server, "/ws/o/main?since=0000000000000001:14");
        Assert.True((await other.ReadJsonAsync("replay")).GetProperty("truncated").GetBoolean());
    }

    [Fact]
    public async Task A_mailbox_becomes_a_socket_with_what_was_waiting()
    {
        var server = await StartAsync(Both);
        using var rest = new RestConnection(server, TestTimeout);
        var url = (await rest.PostAsync("/clients/register", new { client_id = "m" })).Body.GetProperty("websocket_url").GetString();
        await rest.PostAsync("/messages/send", new { message_data = "waiting", chat_room = "main", client_id = "s" });
        var ws = await OpenAsync(server, url!);
        await ws.ReadJsonAsync("register");
        Assert.Equal("waiting", (await ws.ReadJsonAsync("message")).GetProperty("text").GetString());
        var thief = await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync(server, "/ws/m/main?session=guess"));
        Assert.NotNull(thief);
    }

    [Theory]
    [InlineData("/ws/used/main", HttpStatusCode.Conflict)]
    [InlineData("/ws/server/main", HttpStatusCode.UnprocessableEntity)]
    [InlineData("/ws/a%3Ab/main", HttpStatusCode.UnprocessableEntity)]
    [InlineData("/ws/a/nowhere?create=0", HttpStatusCode.NotFound)]
    public async Task Refusals_are_http_answers(string path, HttpStatusCode expected)
    {
        var server = await StartAsync(Both);
        await JoinAsync(server, "used");
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{server.HttpEndPoint}{path}"), TestTimeout));
        Assert.Equal(expected, socket.HttpStatusCode);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a%2Fb")]
    [InlineData("Ω?#&+")]
    public async Task Names_are_decoded_once_whatever_is_in_them(string name)
    {
        var server = await StartAsync(Standard with { Mode = ChatMode.Both });
        var socket = Own(await SocketConnection.OpenAsync(server, $"/ws/{Uri.EscapeDataString(name)}/main", "chat.v1.json", TestTimeout));
        Assert.Equal(name, (await socket.ReadJsonAsync("register")).GetProperty("client_id").GetString());
        using var rest = new RestConnection(server, TestTimeout);
        Assert.Equal(name, (await rest.GetAsync($"/clients/{Uri.EscapeDataString(name)}")).Body.GetProperty("client_id").GetString());
    }

    [Fact]
    public async Task Pages_of_other_sites_are_refused()
    {
        var server = await StartAsync(Both with { CorsOrigins = ["https://friend.example"] });
        await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync(server, "/ws/a/main", origin: "https://evil.example"));
        await (await OpenAsync(server, "/ws/a/main", origin: "https://friend.example")).ReadJsonAsync("register");
        await (await OpenAsync(server, "/ws/b/main", origin: $"http://{server.HttpEndPoint}")).ReadJsonAsync("register");
    }

    [Theory]
    [InlineData(WebSocketMessageType.Binary, 3, 1003)]
    [InlineData(WebSocketMessageType.Text, 70_000, 1009)]
    public async Task Frames_that_are_not_allowed_close_with_their_code(WebSocketMessageType type, int length, int code)
    {
        var server = await StartAsync(Both);
        var ws = await OpenAsync(server, "/ws/a/main");
        await ws.ReadJsonAsync("register");
        await ws.Socket.SendAsync(new byte[length], type, true, TestTimeout);
        Assert.Null(await ws.ReadAsync());
        Assert.Equal(code, (int)ws.Socket.CloseStatus!);
    }

    [Fact]
    public async Task Text_that_is_no_utf8_closes_and_fragments_are_joined()
    {
        var server = await StartAsync(Both);
        var ws = await OpenAsync(server, "/ws/a/main");
        await ws.ReadJsonAsync("register");
        await ws.Socket.SendAsync("{\"type\":\"send\","u8.ToArray(), WebSocketMessageType.Text, false, TestTimeout);
        await ws.Socket.SendAsync("\"text\":\"whole\"}"u8.ToArray(), WebSocketMessageType.Text, true, TestTimeout);
        Assert.Equal("whole", (await ws.ReadJsonAsync("message")).GetProperty("text").GetString());
        await ws.ReadJsonAsync("send");
        await ws.Socket.SendAsync(new byte[] { 0xFF, 0xFE }, WebSocketMessageType.Text, true, TestTimeout);
        Assert.Null(await ws.ReadAsync());
        Assert.Equal(1007, (int)ws.Socket.CloseStatus!);
    }

    [Fact]
    public async Task C33_shutdown_says_so_on_every_transport()
    {
        var server = await StartAsync(Both);
        var ws = await OpenAsync(server, "/ws/a/main");
        await ws.ReadJsonAsync("register");
        var tcp = await JoinAsync(server, "tcp");
        var stop = server.StopAsync();
        Assert.Equal("shutdown", (await ws.ReadJsonAsync("close")).GetProperty("reason").GetString());
        Assert.Null(await ws.ReadAsync());
        Assert.Equal(1001, (int)ws.Socket.CloseStatus!);
        Assert.Contains("BYE shutdown the server is going down", await tcp.ReadToEndAsync());
        await ws.Socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, "", TestTimeout);
        await tcp.DisposeAsync();
        await stop;
    }
}
