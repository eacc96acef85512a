using System.Text.Json;
using Mooring.Chat.Configuration;
using Mooring.Chat.Tests.Http;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Lines;

/// <summary>Who a client is, and what waits for it: tokens, rooms with passwords, direct messages for those who are away.</summary>
public sealed class AccountTests : ChatTest
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Combine("tests/vectors/chat/tokens.json"))).RootElement;

    private static ChatOptions Both { get; } = Standard with { Mode = ChatMode.Both };

    private static DateTimeOffset SignedAt { get; } = DateTimeOffset.FromUnixTimeSeconds(Vectors.GetProperty("now").GetInt64());

    [Fact]
    public async Task E05_signed_tokens_open_lines_and_rest_until_they_expire()
    {
        var clock = new TestClock(SignedAt);
        var server = await StartAsync(Both with { JwtKeyPath = Keys(), JwtIssuer = "https://issuer.example", JwtAudience = "chat" }, clock);
        var alice = await ConnectAsync(server);
        await alice.SayAsync("HELLO main:alice", "ERROR main:alice auth-required present a token first: AUTH <token>");
        await alice.SayAsync($"AUTH {Token("expired")}", "ERROR *:* auth-failed the token is not known");
        await alice.SayAsync($"AUTH {Token("ES256")}", "OK AUTH *:* member");
        await alice.SayAsync("HELLO main:bob", "ERROR main:bob not-owner the token is not for bob");
        await alice.SayAsync("HELLO main:alice", "OK HELLO main:alice");

        using var rest = new RestConnection(server, TestTimeout);
        var message = new { message_data = "hi", chat_room = "main", client_id = "alice" };
        Assert.Equal(401, (await rest.PostAsync("/messages/send", message)).Status);
        rest.Http.DefaultRequestHeaders.Authorization = new("Bearer", Token("RS256"));
        Assert.Equal(200, (await rest.PostAsync("/messages/send", message)).Status);
        await alice.ExpectAsync("MSG main:alice hi");

        // A new token in time keeps the client; without one it is closed when the old one is over.
        await alice.SayAsync($"AUTH {Token("any id")}", "OK AUTH *:alice operator");
        clock.Advance(TimeSpan.FromSeconds(629));
        server.Hub.Sweep();
        await alice.NothingAsync();
        clock.Advance(TimeSpan.FromSeconds(2));
        server.Hub.Sweep();
        await alice.ExpectAsync("BYE timeout the token has expired");
        Assert.Null(await alice.ReadAsync());
    }

    [Fact]
    public async Task E06_a_room_with_a_password_lets_in_who_knows_it_by_any_transport()
    {
        var server = await StartAsync(Both);
        var owner = await ConnectAsync(server);
        await owner.SayAsync("NEW vault:owner password=sesame", "OK NEW vault:owner", "MSG vault:server Chatroom vault was successfully created by owner.");
        var other = await JoinAsync(server, "other");
        await other.SayAsync("JOIN vault:other", "ERROR vault:other forbidden vault wants its password");
        await other.SayAsync("JOIN vault:other password=Sesame", "ERROR vault:other forbidden vault wants its password");
        await other.SayAsync("PASSWORD vault mine", "ERROR vault:* forbidden only the room's owner and operators may do that");
        await other.SayAsync("JOIN vault:other password=sesame", "OK JOIN vault:other");
        await owner.ExpectAsync("MSG vault:server Client other has joined Chat room vault");

        using var rest = new RestConnection(server, TestTimeout);
        Assert.Equal(403, (await rest.PostAsync("/clients/register", new { client_name = "r", chat_room = "vault" })).Status);
        Assert.Equal(200, (await rest.PostAsync("/clients/register", new { client_name = "r", chat_room = "vault", password = "sesame" })).Status);
        Assert.Equal(403, (await rest.PostAsync("/messages/send", new { message_data = "x", chat_room = "vault", client_id = "stranger" })).Status);
        await Assert.ThrowsAnyAsync<System.Net.WebSockets.WebSocketException>(() => SocketConnection.OpenAsync(server, "/ws/w/vault", "chat.v1.json", TestTimeout));
        var socket = Own(await SocketConnection.OpenAsync(server, "/ws/w/vault?password=sesame", "chat.v1.json", TestTimeout));
        Assert.Equal("vault", (await socket.ReadJsonAsync("register")).GetProperty("chat_room").GetString());
        var elsewhere = Own(await SocketConnection.OpenAsync(server, "/ws/v/main", "chat.v1.json", TestTimeout));
        await elsewhere.SendAsync("""{"type":"join","room":"vault"}""");
        Assert.Equal("forbidden", (await elsewhere.ReadJsonAsync("error")).GetProperty("code").GetString());
        await elsewhere.SendAsync("""{"type":"join","room":"vault","password":"sesame"}""");
        Assert.Equal("joined", (await elsewhere.ReadJsonAsync("join")).GetProperty("status").GetString());

        await owner.SendAsync("PASSWORD vault");
        while (await owner.ReadAsync() != "OK PASSWORD vault:owner open")
        {
        }
        await (await ConnectAsync(server)).SayAsync("JOIN vault:late", "OK JOIN vault:late");
        await other.SayAsync("PASSWORD main x", "MSG vault:server Client r has joined Chat room vault");
    }

    [Fact]
    public async Task E05_who_guesses_tokens_or_passwords_has_to_wait_and_then_gets_in()
    {
        var clock = new TestClock();
        var server = await StartAsync(Both with { AdminToken = "admin" }, clock);
        var owner = await ConnectAsync(server);
        await owner.SayAsync("NEW vault:owner password=sesame", "OK NEW vault:owner", "MSG vault:server Chatroom vault was successfully created by owner.");
        using var rest = new RestConnection(server, TestTimeout);
        rest.Http.DefaultRequestHeaders.Authorization = new("Bearer", "guess");
        for (var i = 0; i < 10; i++) Assert.Equal(401, (await rest.GetAsync("/server/status")).Status);
        rest.Http.DefaultRequestHeaders.Authorization = null;
        for (var i = 0; i < 10; i++) Assert.Equal(403, (await rest.GetAsync($"/messages/history?chat_room=vault&password={i}")).Status);
        clock.Advance(TimeSpan.FromSeconds(18.5));
        using var refused = await rest.Http.GetAsync(new Uri("/messages/history?chat_room=vault&password=sesame", UriKind.Relative), TestTimeout);
        Assert.Equal((System.Net.HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(42)), (refused.StatusCode, refused.Headers.RetryAfter?.Delta));
        Assert.Equal(200, (await rest.GetAsync("/server/status")).Status);
        rest.Http.DefaultRequestHeaders.Authorization = new("Bearer", "admin");
        Assert.Equal(429, (await rest.GetAsync("/server/status")).Status);
        var other = await JoinAsync(server, "other");
        await other.SayAsync("JOIN vault:other password=sesame", "ERROR vault:other rate-limited 41500 ms to wait, too many wrong tokens and passwords came from there");
        clock.Advance(TimeSpan.FromSeconds(41.5));
        await other.SayAsync("JOIN vault:other password=sesame", "OK JOIN vault:other");
        Assert.Equal(200, (await rest.GetAsync("/server/status")).Status);
    }

    [Fact]
    public async Task E06_a_room_with_a_password_is_listed_for_its_members_and_operators_only()
    {
        var server = await StartAsync(Both with { AdminToken = "admin", Announce = Announcements.None });
        var lobby = await JoinAsync(server, "lobby");
        await lobby.SayAsync("CAPS events", "OK CAPS *:lobby events");
        var owner = await ConnectAsync(server);
        await owner.SayAsync("NEW vault:owner password=sesame", "OK NEW vault:owner", "MSG vault:server Chatroom vault was successfully created by owner.");
        await owner.SayAsync("NEW hall:owner", "OK NEW hall:owner", "MSG hall:server Chatroom hall was successfully created by owner.");
        await lobby.ExpectAsync("EVENT created hall:owner");
        await lobby.SayAsync("LIST ROOMS", "LIST ROOM main 1", "LIST ROOM hall 1", "LIST END CHAT_ROOMS 2");
        await lobby.SayAsync("LIST CLIENT_CHAT_ROOMS owner", "LIST ROOM hall 1", "LIST END CLIENT_CHAT_ROOMS 1");
        await lobby.SayAsync("WHO vault", "LIST END WHO 0");
        await owner.SayAsync("LIST ROOMS", "LIST ROOM main 1", "LIST ROOM vault 1", "LIST ROOM hall 1", "LIST END CHAT_ROOMS 3");
        using var rest = new RestConnection(server, TestTimeout);
        Assert.Equal(["main", "hall"], (await rest.GetAsync("/chatrooms/list")).Body.GetProperty("chat_rooms").EnumerateArray().Select(room => room.GetString()));
        Assert.DoesNotContain("vault", (await rest.GetAsync("/server/status")).Body.GetRawText(), StringComparison.Ordinal);
        rest.Http.DefaultRequestHeaders.Authorization = new("Bearer", "admin");
        Assert.Equal(3, (await rest.GetAsync("/chatrooms/list")).Body.GetProperty("chat_rooms").GetArrayLength());
    }

    [Fact]
    public async Task E06_the_history_of_a_room_with_a_password_is_for_those_who_know_it()
    {
        var server = await StartAsync(Both with { AdminToken = "admin" });
        var owner = await ConnectAsync(server);
        await owner.SayAsync("NEW vault:owner password=sesame", "OK NEW vault:owner", "MSG vault:server Chatroom vault was successfully created by owner.");
        await owner.SayAsync("SEND vault:owner secret", "MSG vault:owner secret");
        using var rest = new RestConnection(server, TestTimeout);
        Assert.Equal(403, (await rest.GetAsync("/messages/history?chat_room=vault")).Status);
        Assert.Single((await rest.GetAsync("/messages/history?chat_room=vault&password=sesame")).Body.GetProperty("messages").EnumerateArray());
    }

    [Fact]
    public async Task E15_direct_messages_wait_for_a_suspended_client_within_their_bound_and_time()
    {
        var clock = new TestClock();
        var server = await StartAsync(Standard with { Announce = Announcements.None, Limits = new ChatLimits { DirectQueue = 2, DirectQueueSeconds = 60 } }, clock);
        var (a, b) = (await JoinAsync(server, "a"), await JoinAsync(server, "b"));
        await b.SayAsync("PAUSE b", "OK PAUSE *:b main");
        await a.SayAsync("TELL main:a b one", "OK TELL main:a queued=b");
        clock.Advance(TimeSpan.FromSeconds(40));
        await a.SayAsync("TELL main:a a,b two", "MSG FROM main:a two", "OK TELL main:a a queued=b");
        await a.SayAsync("TELL main:a b three", "ERROR main:a target-suspended b");
        clock.Advance(TimeSpan.FromSeconds(30));
        await b.SayAsync("RESUME b", "MSG FROM main:a two", "OK RESUME *:b main");
        await b.SayAsync("PAUSE b", "OK PAUSE *:b main");
        await a.SayAsync("TELL main:a b four", "OK TELL main:a queued=b");
        // Without accounts an id belongs to nobody: who takes it next must not read what was meant for another.
        await b.SayAsync("QUIT", "OK QUIT *:b Good Bye!", "BYE quit");
        Assert.Null(await b.ReadAsync());
        await a.SayAsync("TELL main:a b five", "ERROR main:a no-such-client b");
        await (await JoinAsync(server, "b")).NothingAsync();
    }

    [Fact]
    public async Task E15_direct_messages_wait_for_the_owner_of_an_account_who_is_away()
    {
        var path = Path.GetTempFileName();
        var (tokenA, lineA) = ChatTokens.Create("a", "member");
        var (tokenB, lineB) = ChatTokens.Create("b", "member");
        await File.WriteAllLinesAsync(path, [lineA, lineB], TestTimeout);
        var server = await StartAsync(Standard with { AuthTokensPath = path, Announce = Announcements.None, Limits = new ChatLimits { DirectQueue = 1 } });
        var (a, b) = (await LoginAsync(server, tokenA, "a"), await LoginAsync(server, tokenB, "b"));
        await a.SayAsync("TELL main:a c hi", "ERROR main:a no-such-client c");
        await b.SayAsync("QUIT", "OK QUIT *:b Good Bye!", "BYE quit");
        Assert.Null(await b.ReadAsync());
        await a.SayAsync("TELL main:a b while you were away", "OK TELL main:a queued=b");
        await a.SayAsync("TELL main:a b and more", "ERROR main:a no-such-client b");
        await (await LoginAsync(server, tokenB, "b")).ExpectAsync("MSG FROM main:a while you were away");
        File.Delete(path);
    }

    [Fact]
    public async Task Status_of_a_client_that_broke_the_protocol_is_error_until_its_transport_is_gone()
    {
        var server = await StartAsync(Both);
        var bad = await JoinAsync(server, "bad");
        using var rest = new RestConnection(server, TestTimeout);
        await bad.SayAsync("FOO x", "ERROR *:* unknown-command FOO", "BYE protocol unknown command");
        var seen = (await rest.GetAsync("/clients/bad")).Body;
        Assert.Equal("protocol", seen.GetProperty("closed").GetString());
        Assert.Contains(seen.GetProperty("chat_rooms").GetProperty("main").GetProperty("status").GetString(), new[] { "ERROR", "CLOSED" });
        Assert.Null(await bad.ReadAsync());
        await bad.DisposeAsync();
        string? status;
        do status = (await rest.GetAsync("/clients/bad")).Body.GetProperty("chat_rooms").GetProperty("main").GetProperty("status").GetString();
        while (status == "ERROR");
        Assert.Equal("CLOSED", status);
    }

    private static string Token(string name) =>
        Vectors.GetProperty("tokens").EnumerateArray().Single(token => token.GetProperty("name").GetString() == name).GetProperty("token").GetString()!;

    private static string Keys()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, $$"""{"keys":{{Vectors.GetProperty("keys").GetRawText()}}}""");
        return path;
    }

    private async Task<LineConnection> LoginAsync(ChatServer server, string token, string id)
    {
        var connection = await ConnectAsync(server);
        await connection.SayAsync($"AUTH {token}", "OK AUTH *:* member");
        await connection.SayAsync($"HELLO main:{id}", $"OK HELLO main:{id}");
        return connection;
    }
}
