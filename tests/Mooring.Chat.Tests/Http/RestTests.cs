using System.Globalization;
using System.Net.Http.Json;
using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Http;

/// <summary>The REST interface. Names begin with the item of the checklist.</summary>
public sealed class RestTests : ChatTest
{
    private static readonly ChatOptions Both = Standard with { Mode = ChatMode.Both };

    private async Task<(ChatServer Server, RestConnection Caller)> StartBothAsync(ChatOptions? options = null)
    {
        var server = await StartAsync(options ?? Both);
        return (server, new RestConnection(server, TestTimeout));
    }

    [Fact]
    public async Task T4_root_is_the_known_answer_for_programs_and_a_page_for_browsers()
    {
        var (_, rest) = await StartBothAsync();
        Assert.Equal("""{"message":"Chat Server API","version":"1.0.0"}""", await rest.Http.GetStringAsync(new Uri("/", UriKind.Relative), TestTimeout));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Accept.ParseAdd("text/html,*/*;q=0.8");
        using var page = await rest.Http.SendAsync(request, TestTimeout);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_shows_what_others_wrote_as_text_only()
    {
        var (_, rest) = await StartBothAsync();
        foreach (var path in new[] { "/chat.js", "/docs.js" })
        {
            var program = await rest.Http.GetStringAsync(new Uri(path, UriKind.Relative), TestTimeout);
            foreach (var way in new[] { "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(" })
                Assert.DoesNotContain(way, program, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task T1_status_of_a_fresh_server_has_the_known_keys()
    {
        var (server, rest) = await StartBothAsync();
        var (status, body) = await rest.GetAsync("/server/status");
        Assert.Equal(200, status);
        Assert.Equal("127.0.0.1", body.GetProperty("host").GetString());
        Assert.Equal(server.SocketEndPoints[0].Port.ToString(CultureInfo.InvariantCulture), body.GetProperty("port").GetString());
        Assert.Equal((0, 100, 255, false), (
            body.GetProperty("client_count").GetInt32(), body.GetProperty("max_clients").GetInt32(),
            body.GetProperty("max_message_length").GetInt32(), body.GetProperty("use_ssl").GetBoolean()));
        Assert.Equal("""[{"name":"main","client_count":0,"clients":[]}]""", body.GetProperty("chat_rooms").GetRawText());
    }

    [Fact]
    public async Task T5_register_gives_a_mailbox_and_repeats_what_was_asked_for()
    {
        var (_, rest) = await StartBothAsync();
        var (status, body) = await rest.PostTextAsync("/clients/register", "{}");
        Assert.Equal((200, "registered", "client2", "client", "main"), (
            status, body.GetProperty("status").GetString(), body.GetProperty("client_id").GetString(),
            body.GetProperty("requested_client_name").GetString(), body.GetProperty("requested_chat_room").GetString()));
        (status, body) = await rest.PostAsync("/clients/register", new { client_name = "n", client_id = "i", chat_room = "nowhere" });
        Assert.Equal((404, "Chat room 'nowhere' not found", "no-such-room"), (status, body.GetProperty("detail").GetString(), body.GetProperty("code").GetString()));
        Assert.Equal(200, (await rest.PostAsync("/chatrooms", new { chat_room = "nowhere", client_id = "i" })).Status);
        (status, body) = await rest.PostAsync("/clients/register", new { client_name = "n", client_id = "i", chat_room = "nowhere" });
        Assert.Equal((200, "i", "n", "i", "nowhere"), (
            status, body.GetProperty("client_id").GetString(), body.GetProperty("client_name").GetString(),
            body.GetProperty("requested_client_id").GetString(), body.GetProperty("requested_chat_room").GetString()));
        Assert.Equal(409, (await rest.PostAsync("/clients/register", new { client_id = "i" })).Status);
    }

    [Fact]
    public async Task C22_messages_cross_transports_and_suspended_members_are_not_counted()
    {
        var (server, rest) = await StartBothAsync();
        var tcp = await JoinAsync(server, "tcp");
        var mailbox = (await rest.PostAsync("/clients/register", new { client_id = "box" })).Body.GetProperty("session").GetString();
        await tcp.ExpectAsync("MSG main:server Client box has joined Chat room main");
        var (status, body) = await rest.PostAsync("/messages/send", new { message_data = "hi", chat_room = "main", client_id = "script" });
        Assert.Equal((200, "sent", "hi", "main", 2), (
            status, body.GetProperty("status").GetString(), body.GetProperty("message").GetString(),
            body.GetProperty("chat_room").GetString(), body.GetProperty("clients_notified").GetInt32()));
        await tcp.ExpectAsync("MSG main:script hi");
        await tcp.SayAsync("SEND main:tcp there", "MSG main:tcp there");
        body = (await rest.GetAsync($"/messages/poll?session={mailbox}&timeout=5")).Body;
        Assert.Equal(["hi", "there"], body.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("text").GetString()));

        body = (await rest.PostAsync("/clients/pause", new { client_id = "tcp" })).Body;
        Assert.Equal(("paused", "tcp", "[\"main\"]"), (body.GetProperty("status").GetString(), body.GetProperty("client_id").GetString(), body.GetProperty("rooms").GetRawText()));
        body = (await rest.PostAsync("/messages/send", new { message_data = "missed", chat_room = "main", client_id = "script" })).Body;
        Assert.Equal((1, 2), (body.GetProperty("clients_notified").GetInt32(), body.GetProperty("members").GetInt32()));
        await tcp.SayAsync("LIST ALL", "LIST ROOM main 2", "LIST CLIENT main:tcp SUSPENDED", "LIST CLIENT main:box CONNECTED", "LIST END ALL 3");
        body = (await rest.PostAsync("/clients/resume", new { client_id = "tcp" })).Body;
        Assert.Equal(1, body.GetProperty("missed").GetInt32());
        await tcp.ExpectAsync("MSG main:server 1 messages missed", "MSG main:script missed");
    }

    [Fact]
    public async Task A_poll_waits_for_a_message()
    {
        var (server, rest) = await StartBothAsync();
        var session = (await rest.PostTextAsync("/clients/register", "{}")).Body.GetProperty("session").GetString();
        var poll = rest.GetAsync($"/messages/poll?session={session}&timeout=60");
        var tcp = await JoinAsync(server, "tcp");
        var (_, body) = await poll;
        Assert.Equal("notice", body.GetProperty("messages")[0].GetProperty("type").GetString());
        Assert.Equal(404, (await rest.GetAsync("/messages/poll?session=wrong")).Status);
        Assert.Equal(422, (await rest.GetAsync($"/messages/poll?session={session}&timeout=61")).Status);
        await tcp.NothingAsync();
    }

    [Fact]
    public async Task Events_stream_messages_with_their_place_and_go_on_behind_the_last_one()
    {
        var (server, rest) = await StartBothAsync();
        var session = (await rest.PostAsync("/clients/register", new { client_id = "e" })).Body.GetProperty("session").GetString();
        var tcp = await JoinAsync(server, "tcp");
        await tcp.SayAsync("SEND main:tcp one", "MSG main:tcp one");
        await tcp.SayAsync("SEND main:tcp two", "MSG main:tcp two");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/clients/e/events?session={session}");
        request.Headers.Add("Last-Event-ID", $"{server.Hub.Epoch:x16}:1");
        using var answer = await rest.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestTimeout);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(TestTimeout));
        Assert.Equal($"id: {server.Hub.Epoch:x16}:2", await lines.ReadLineAsync(TestTimeout));
        Assert.Equal("event: main", await lines.ReadLineAsync(TestTimeout));
        Assert.Contains("\"text\":\"two\"", await lines.ReadLineAsync(TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task C23_close_ends_sessions_of_other_transports_or_takes_them_out_of_one_room()
    {
        var (server, rest) = await StartBothAsync();
        var tcp = await JoinAsync(server, "tcp");
        await tcp.SayAsync("NEW dev:tcp", "OK NEW dev:tcp", "MSG dev:server Chatroom dev was successfully created by tcp.");
        var (status, body) = await rest.PostAsync("/clients/close", new { client_id = "tcp", chat_room = "dev" });
        Assert.Equal((200, "closed", "dev"), (status, body.GetProperty("status").GetString(), body.GetProperty("chat_room").GetString()));
        await tcp.SayAsync("LIST MINE", "LIST ROOM main 1", "LIST END CLIENT_CHAT_ROOMS 1");
        Assert.Equal(200, (await rest.PostAsync("/clients/close", new { client_id = "tcp" })).Status);
        await tcp.ExpectAsync("BYE closed an operator closed the session");
        Assert.Null(await tcp.ReadAsync());
    }

    [Fact]
    public async Task C24_an_id_equal_to_a_room_name_changes_no_room()
    {
        var (_, rest) = await StartBothAsync();
        Assert.Equal(404, (await rest.PostAsync("/clients/close", new { client_id = "main" })).Status);
        Assert.Equal("""{"chat_rooms":{"main":{"clients":[],"client_count":0}}}""", (await rest.GetAsync("/chatrooms/list?list_type=ALL")).Body.GetRawText());
    }

    [Fact]
    public async Task T6_T7_T8_rooms_and_direct_messages_answer_with_the_known_keys()
    {
        var (server, rest) = await StartBothAsync();
        var tcp = await JoinAsync(server, "tcp");
        await rest.PostAsync("/clients/register", new { client_id = "box" });
        await tcp.ExpectAsync("MSG main:server Client box has joined Chat room main");
        var (status, body) = await rest.PostAsync("/messages/client-to-client", new { message_data = "psst", chat_room = "main", source_client_id = "box", target_client_id = "tcp" });
        Assert.Equal((200, "sent", "box", "tcp", "main"), (
            status, body.GetProperty("status").GetString(), body.GetProperty("requested_source").GetString(),
            body.GetProperty("requested_target").GetString(), body.GetProperty("requested_room").GetString()));
        await tcp.ExpectAsync("MSG FROM main:box psst");
        (status, body) = await rest.PostAsync("/messages/client-to-client", new { message_data = "x", chat_room = "main", source_client_id = "box", target_client_id = "nobody" });
        Assert.Equal((404, "no-such-client"), (status, body.GetProperty("code").GetString()));

        (status, body) = await rest.PostAsync("/chatrooms", new { chat_room = "dev", client_id = "box" });
        Assert.Equal((200, "created", "dev", "box"), (
            status, body.GetProperty("status").GetString(), body.GetProperty("requested_room").GetString(), body.GetProperty("requested_by").GetString()));
        Assert.Equal(409, (await rest.PostAsync("/chatrooms", new { chat_room = "dev", client_id = "box" })).Status);
        Assert.Equal(403, (await rest.PostAsync("/chatrooms", new { chat_room = "main", client_id = "box" })).Status);
        Assert.Equal(422, (await rest.PostAsync("/chatrooms", new { chat_room = "a:b", client_id = "box" })).Status);
        (status, body) = await rest.PostAsync("/chatrooms/join", new { chat_room = "dev", client_id = "tcp" });
        Assert.Equal((200, "joined", 2), (status, body.GetProperty("status").GetString(), body.GetProperty("members").GetInt32()));
        Assert.Equal(404, (await rest.PostAsync("/chatrooms/join", new { chat_room = "nowhere", client_id = "tcp" })).Status);
        await tcp.SayAsync("SEND dev:tcp hi", "MSG dev:tcp hi");
        Assert.Equal(200, (await rest.PostAsync("/chatrooms/leave", new { chat_room = "dev", client_id = "tcp" })).Status);
    }

    [Fact]
    public async Task Listings_have_the_known_shapes()
    {
        var (server, rest) = await StartBothAsync();
        await JoinAsync(server, "a");
        Assert.Equal("""{"chat_rooms":["main"]}""", (await rest.GetAsync("/chatrooms/list")).Body.GetRawText());
        Assert.Equal("""{"chat_rooms":{"main":["a"]}}""", (await rest.GetAsync("/chatrooms/list?list_type=CHAT_ROOM_AND_CLIENTS")).Body.GetRawText());
        Assert.Equal("""{"client_id":"a","chat_rooms":["main"]}""", (await rest.GetAsync("/chatrooms/list?list_type=CLIENT_CHAT_ROOMS&client_id=a")).Body.GetRawText());
        Assert.Equal("""{"chat_room":"x","clients":[]}""", (await rest.GetAsync("/chatrooms/list?list_type=CLIENTS_FOR_CHAT_ROOM&chat_room=x")).Body.GetRawText());
        var (status, body) = await rest.GetAsync("/chatrooms/list?list_type=NONSENSE");
        Assert.Equal((400, """{"error":"Invalid list_type or missing required parameters"}"""), (status, body.GetRawText()));
        Assert.Equal("""{"type":"chat rooms","chatroom_list":{"main":{}}}""", (await rest.GetAsync("/chatrooms/list-dict")).Body.GetRawText());
        Assert.Equal(
            """{"type":"all","chatroom_list":{"main":{"a":{"client_id":"a","status":"CONNECTED"}}}}""",
            (await rest.GetAsync("/chatrooms/list-dict?list_type=ALL")).Body.GetRawText());
        Assert.Equal(
            """{"type":"clients for chat room","chat_room_name":"main","client_list":["a"],"chatroom_list":{}}""",
            (await rest.GetAsync("/chatrooms/list-dict?list_type=CLIENTS_FOR_CHAT_ROOM&chat_room=main")).Body.GetRawText());
        Assert.Equal(400, (await rest.GetAsync("/chatrooms/list-dict?list_type=X")).Status);
        await rest.PostAsync("/chatrooms", new { chat_room = "b", client_id = "a" });
        Assert.Equal("""{"chat_rooms":["main"],"next":"main"}""", (await rest.GetAsync("/chatrooms/list?limit=1")).Body.GetRawText());
        Assert.Equal("""{"chat_rooms":["b"]}""", (await rest.GetAsync("/chatrooms/list?limit=1&after=main")).Body.GetRawText());
    }

    [Theory]
    [InlineData("", 422, "missing", null)]
    [InlineData("{", 422, "json_invalid", null)]
    [InlineData("[]", 422, "model_attributes_type", null)]
    [InlineData("null", 422, "model_attributes_type", null)]
    [InlineData("""{"message_data":"x","chat_room":"main"}""", 422, "missing", "client_id")]
    [InlineData("""{"message_data":5,"chat_room":"main","client_id":"a"}""", 422, "string_type", "message_data")]
    [InlineData("""{"message_data":null,"chat_room":"main","client_id":"a"}""", 422, "string_type", "message_data")]
    [InlineData("""{"message_data":"\ud800","chat_room":"main","client_id":"a"}""", 422, "json_invalid", null)]
    public async Task C28_wrong_bodies_are_told_with_their_place(string text, int expected, string type, string? field)
    {
        var (_, rest) = await StartBothAsync();
        var (status, body) = await rest.PostTextAsync("/messages/send", text);
        Assert.Equal(expected, status);
        var first = body.GetProperty("detail")[0];
        Assert.Equal(type, first.GetProperty("type").GetString());
        Assert.Equal(field is null ? "[\"body\"]" : $"[\"body\",\"{field}\"]", first.GetProperty("loc").GetRawText());
    }

    [Fact]
    public async Task C21_refusals_have_their_codes()
    {
        var (_, rest) = await StartBothAsync();
        Assert.Equal(404, (await rest.PostAsync("/messages/send", new { message_data = "x", chat_room = "nowhere", client_id = "a" })).Status);
        var (status, body) = await rest.PostAsync("/messages/send", new { message_data = new string('x', 256), chat_room = "main", client_id = "a" });
        Assert.Equal((413, "message-too-long"), (status, body.GetProperty("code").GetString()));
        Assert.Equal(422, (await rest.PostAsync("/messages/send", new { message_data = "x", chat_room = "main", client_id = "server" })).Status);
        Assert.Equal(415, (await rest.PostTextAsync("/messages/send", "message_data=x", "application/x-www-form-urlencoded")).Status);
        Assert.Equal(413, (await rest.PostTextAsync("/messages/send", $"{{\"message_data\":\"{new string('x', 70_000)}\"}}")).Status);
        Assert.Equal(404, (await rest.GetAsync("/no/such/path")).Status);
        Assert.Equal(405, (await rest.GetAsync("/messages/send")).Status);
        Assert.Equal(404, (await rest.GetAsync("/clients/nobody")).Status);
    }

    [Fact]
    public async Task C21_refusals_of_a_full_busy_or_closing_server_say_when_to_come_back()
    {
        var (server, rest) = await StartBothAsync(Both with { Limits = new ChatLimits { ClientsMax = 2, RoomsMax = 2 } });
        var a = await JoinAsync(server, "a");
        var b = await JoinAsync(server, "b");
        await a.ExpectAsync("MSG main:server Client b has joined Chat room main");
        await ExpectAsync(503, "server-full", "/clients/register", new { client_name = "c" }, hasRetryAfter: true);
        await ExpectAsync(409, "room-exists", "/chatrooms", new { chat_room = "r", client_id = "a" }, twice: true);
        await ExpectAsync(503, "too-many-rooms", "/chatrooms", new { chat_room = "s", client_id = "a" }, hasRetryAfter: true);
        await ExpectAsync(403, "reserved-room", "/chatrooms", new { chat_room = "main", client_id = "a" });
        await ExpectAsync(422, null, "/chatrooms", new { chat_room = "a b", client_id = "a" });
        await ExpectAsync(404, "no-such-room", "/chatrooms/join", new { chat_room = "nowhere", client_id = "a" });
        await ExpectAsync(404, "no-such-client", "/clients/pause", new { client_id = "nobody" });
        await b.SayAsync("PAUSE b", "OK PAUSE *:b main");
        var direct = new { message_data = "x", chat_room = "main", source_client_id = "a", target_client_id = "b" };
        await ExpectAsync(409, "target-suspended", "/messages/client-to-client", direct);
        await b.SayAsync("RESUME b", "OK RESUME *:b main");
        await b.SayAsync("BLOCK a", "OK BLOCK *:b a");
        await ExpectAsync(403, "target-blocked", "/messages/client-to-client", direct);
        await ExpectAsync(403, "not-member", "/messages/client-to-client", direct with { chat_room = "r", source_client_id = "b" });
        await b.SayAsync("QUIT", "OK QUIT *:b Good Bye!", "BYE quit");
        Assert.Equal(200, (await rest.PostAsync("/admin/drain", new { })).Status);
        await ExpectAsync(503, "shutting-down", "/clients/register", new { client_name = "d" }, hasRetryAfter: true);
        Assert.Equal(503, (await rest.GetAsync("/health/ready")).Status);
        Assert.Equal(200, (await rest.GetAsync("/health/live")).Status);

        async Task ExpectAsync(int status, string? code, string path, object body, bool hasRetryAfter = false, bool twice = false)
        {
            if (twice) Assert.Equal(200, (await rest.PostAsync(path, body)).Status);
            using var answer = await rest.Http.PostAsJsonAsync(path, body, TestTimeout);
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Equal(hasRetryAfter, answer.Headers.RetryAfter is not null);
            var json = await answer.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>(TestTimeout);
            if (code is not null) Assert.Equal(code, json.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task C21_a_caller_that_is_no_operator_is_held_to_the_rate_of_its_client()
    {
        // A clock that stands still: the rate is used up by one message however slow the machine is.
        var server = await StartAsync(Both with { AdminToken = "admin", Limits = new ChatLimits { Rate = 1, RateBurst = 1 } }, new TestClock());
        await JoinAsync(server, "a");
        using var rest = new RestConnection(server, TestTimeout);
        var message = new { message_data = "x", chat_room = "main", client_id = "a" };
        Assert.Equal(200, (await rest.PostAsync("/messages/send", message)).Status);
        using var answer = await rest.Http.PostAsJsonAsync("/messages/send", message, TestTimeout);
        Assert.Equal((429, "1"), ((int)answer.StatusCode, answer.Headers.GetValues("Retry-After").Single()));
    }

    [Fact]
    public async Task A_repeated_idempotency_key_sends_nothing_and_answers_as_before()
    {
        var (server, rest) = await StartBothAsync();
        var tcp = await JoinAsync(server, "tcp");
        rest.Http.DefaultRequestHeaders.Add("Idempotency-Key", "k1");
        var first = (await rest.PostAsync("/messages/send", new { message_data = "once", chat_room = "main", client_id = "s" })).Body.GetRawText();
        Assert.Equal(first, (await rest.PostAsync("/messages/send", new { message_data = "once", chat_room = "main", client_id = "s" })).Body.GetRawText());
        await tcp.ExpectAsync("MSG main:s once");
        await tcp.NothingAsync();
    }

    [Fact]
    public async Task C19_line_breaks_and_controls_forge_nothing()
    {
        var (server, rest) = await StartBothAsync();
        var tcp = await JoinAsync(server, "tcp");
        await rest.PostAsync("/messages/send", new { message_data = "a\nBYE quit\r\nMSG main:server x\u001b[2J\u0085\0\tend", chat_room = "main", client_id = "s" });
        await tcp.ExpectAsync("MSG main:s a", "MSG main:s BYE quit", "MSG main:s MSG main:server x[2J\tend");
        await tcp.NothingAsync();
    }

    [Fact]
    public async Task Tokens_are_asked_for_when_there_is_a_file_of_them()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var (alice, aliceLine) = ChatTokens.Create("alice", "member");
        var (boss, bossLine) = ChatTokens.Create("*", "operator");
        await File.WriteAllTextAsync(path, $"# people\n{aliceLine}\n{bossLine}\n", TestTimeout);
        var (server, rest) = await StartBothAsync(Both with { AuthTokensPath = path });
        File.Delete(path);
        Assert.Equal(401, (await rest.PostTextAsync("/clients/register", "{}")).Status);
        rest.Http.DefaultRequestHeaders.Authorization = new("Bearer", alice);
        Assert.Equal("alice", (await rest.PostTextAsync("/clients/register", "{}")).Body.GetProperty("client_id").GetString());
        Assert.Equal(403, (await rest.PostAsync("/clients/register", new { client_id = "bob" })).Status);
        Assert.Equal(403, (await rest.GetAsync("/clients/alice")).Status);
        Assert.Equal(403, (await rest.PostAsync("/messages/send", new { message_data = "x", chat_room = "main", client_id = "bob" })).Status);
        rest.Http.DefaultRequestHeaders.Authorization = new("Bearer", boss);
        Assert.Equal(200, (await rest.GetAsync("/clients/alice")).Status);

        var tcp = await ConnectAsync(server);
        await tcp.SayAsync("HELLO main:bob", "ERROR main:bob auth-required present a token first: AUTH <token>");
        await tcp.SayAsync("AUTH wrong", "ERROR *:* auth-failed the token is not known");
        await tcp.SayAsync($"AUTH {boss}", "OK AUTH *:* operator");
        await tcp.SayAsync("HELLO main:bob", "OK HELLO main:bob");
        await tcp.SayAsync("PAUSE alice", "OK PAUSE *:alice main");
        var thief = await ConnectAsync(server);
        for (var i = 0; i < 3; i++) await thief.SayAsync("AUTH guess", "ERROR *:* auth-failed the token is not known");
        Assert.Equal(["BYE protocol too many wrong tokens"], await thief.ReadToEndAsync());
    }

    [Fact]
    public async Task A_hook_speaks_into_its_room_and_nowhere_else()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var (hook, hookLine) = ChatTokens.Create("main:ci", "hook");
        var (member, memberLine) = ChatTokens.Create("*", "member");
        await File.WriteAllTextAsync(path, $"{hookLine}\n{memberLine}\n", TestTimeout);
        var (server, rest) = await StartBothAsync(Both with { AuthTokensPath = path });
        File.Delete(path);
        var tcp = await ConnectAsync(server);
        await tcp.SayAsync($"AUTH {hook}", "ERROR *:* auth-failed the token is not known");
        await tcp.SayAsync($"AUTH {member}", "OK AUTH *:* member");
        await tcp.SayAsync("HELLO main:a", "OK HELLO main:a");
        Assert.Equal(200, (await rest.PostAsync($"/hooks/{hook}", new { text = "build passed" })).Status);
        Assert.Equal(200, (await rest.PostTextAsync($"/hooks/{hook}", "plain words", "text/plain")).Status);
        await tcp.ExpectAsync("MSG main:ci build passed", "MSG main:ci plain words");
        Assert.Equal(404, (await rest.PostTextAsync($"/hooks/{member}", "x", "text/plain")).Status);
        Assert.Equal(422, (await rest.PostTextAsync($"/hooks/{hook}", "[]")).Status);
        Assert.Equal(413, (await rest.PostTextAsync($"/hooks/{hook}", new string('x', 300), "text/plain")).Status);
    }

    [Fact]
    public async Task OpenApi_describes_every_path_that_is_served()
    {
        var (_, rest) = await StartBothAsync();
        var paths = (await rest.GetAsync("/openapi.json")).Body.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToList();
        foreach (var path in new[]
        {
            "/", "/clients/register", "/clients/pause", "/clients/close", "/messages/send", "/messages/client-to-client", "/chatrooms",
            "/chatrooms/join", "/chatrooms/list", "/chatrooms/list-dict", "/server/status",
        })
            Assert.Contains(path, paths);
        using var docs = await rest.Http.GetAsync(new Uri("/docs", UriKind.Relative), TestTimeout);
        Assert.True(docs.IsSuccessStatusCode);
    }
}
