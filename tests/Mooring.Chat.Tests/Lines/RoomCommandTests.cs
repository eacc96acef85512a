namespace Mooring.Chat.Tests.Lines;

/// <summary>Rooms and what members do in them. Names begin with the item of the checklist.</summary>
public sealed class RoomCommandTests : ChatTest
{
    [Fact]
    public async Task C03_newcomer_is_announced_to_members_and_not_to_itself()
    {
        var server = await StartAsync();
        var first = await ConnectAsync(server);
        await first.SayAsync("HELLO", "OK HELLO main:client2");
        var second = await ConnectAsync(server);
        await second.SayAsync("HELLO main:client", "OK HELLO main:client3");
        await first.ExpectAsync("MSG main:server Client client3 has joined Chat room main");
        await second.SayAsync("HELLO main:client3", "OK HELLO main:client3");
        await second.NothingAsync();
        await first.NothingAsync();
    }

    [Theory]
    [InlineData("HELLO")]
    [InlineData("JOIN")]
    public async Task C04_unknown_room_is_refused_and_the_connection_goes_on(string verb)
    {
        var client = await ConnectAsync(await StartAsync());
        await client.SayAsync($"{verb} nowhere:a", "ERROR nowhere:a no-such-room there is no room nowhere");
        await client.SayAsync("HELLO main:a ", "OK HELLO main:a");
    }

    [Fact]
    public async Task C05_rooms_are_created_once_and_main_never()
    {
        var server = await StartAsync();
        var a = await JoinAsync(server, "a");
        await a.SayAsync("NEW dev:a", "OK NEW dev:a", "MSG dev:server Chatroom dev was successfully created by a.");
        await a.SayAsync("NEW dev:a", "ERROR dev:a room-exists dev is there already");
        await a.SayAsync("NEW main:a", "ERROR main:a reserved-room main is always there");
    }

    [Fact]
    public async Task C06_everybody_sees_one_order_once_and_other_rooms_nothing()
    {
        const int Messages = 200;
        var server = await StartAsync();
        var members = new List<LineConnection>();
        for (var i = 0; i < 5; i++)
        {
            members.Add(await JoinAsync(server, $"m{i}"));
            foreach (var earlier in members.SkipLast(1)) await earlier.ExpectAsync($"MSG main:server Client m{i} has joined Chat room main");
        }
        var outsider = await ConnectAsync(server);
        await outsider.SayAsync("NEW other:o", "OK NEW other:o", "MSG other:server Chatroom other was successfully created by o.");

        await Task.WhenAll(members.Select(async (member, number) =>
        {
            for (var i = 0; i < Messages; i++) await member.SendAsync($"SEND main:m{number} {number}/{i}");
        }));
        var seen = new List<string[]>();
        foreach (var member in members)
        {
            var lines = new string[Messages * members.Count];
            for (var i = 0; i < lines.Length; i++) lines[i] = (await member.ReadAsync())!;
            seen.Add(lines);
        }

        Assert.Equal(Messages * members.Count, seen[0].Distinct().Count());
        Assert.All(seen, lines => Assert.Equal(seen[0], lines));
        await outsider.NothingAsync();
    }

    [Fact]
    public async Task C12_a_paused_member_gets_nothing_and_the_missed_messages_when_it_resumes()
    {
        var server = await StartAsync();
        var a = await JoinAsync(server, "a");
        var b = await JoinAsync(server, "b");
        await a.ExpectAsync("MSG main:server Client b has joined Chat room main");
        await a.SayAsync("PAUSE main:a", "OK PAUSE *:a main");
        await b.SayAsync("LIST ALL", "LIST ROOM main 2", "LIST CLIENT main:a SUSPENDED", "LIST CLIENT main:b CONNECTED", "LIST END ALL 3");
        await b.SayAsync("SEND main:b one", "MSG main:b one");
        await b.SayAsync("SEND main:b two", "MSG main:b two");
        await a.NothingAsync();
        await a.SayAsync("RESUME a", "MSG main:server 2 messages missed", "MSG main:b one", "MSG main:b two", "OK RESUME *:a main");
        await b.SayAsync("SEND main:b three", "MSG main:b three");
        await a.ExpectAsync("MSG main:b three");
        await a.SayAsync("PAUSE nobody", "ERROR *:nobody not-owner this connection is a");
    }

    [Fact]
    public async Task C15_direct_messages_reach_their_targets_only()
    {
        var server = await StartAsync();
        var a = await JoinAsync(server, "a");
        var b = await JoinAsync(server, "b");
        var c = await JoinAsync(server, "c");
        await a.ExpectAsync("MSG main:server Client b has joined Chat room main", "MSG main:server Client c has joined Chat room main");
        await b.ExpectAsync("MSG main:server Client c has joined Chat room main");
        await a.SayAsync("TELL main:a b,c,nobody  hi all", "ERROR main:a no-such-client nobody", "OK TELL main:a b,c");
        await b.ExpectAsync("MSG FROM main:a  hi all");
        await c.ExpectAsync("MSG FROM main:a  hi all");
        await a.SayAsync("TELL main:a a self", "MSG FROM main:a self", "OK TELL main:a a");
        await b.SayAsync("BLOCK a", "OK BLOCK *:b a");
        await a.SayAsync("TELL main:a b x", "ERROR main:a target-blocked b");
        await b.SayAsync("UNBLOCK a", "OK UNBLOCK *:b a");
        await b.SayAsync("PAUSE b", "OK PAUSE *:b main");
        await a.SayAsync("TELL main:a b x", "ERROR main:a target-suspended b");
        await a.SayAsync("TELL main:a", "ERROR main:a missing-argument TELL room:client target[,target...] text");
        await c.NothingAsync();
    }

    [Fact]
    public async Task C16_listings_have_their_records_and_an_end()
    {
        var server = await StartAsync();
        var a = await JoinAsync(server, "a");
        await a.SayAsync("NEW dev:a", "OK NEW dev:a", "MSG dev:server Chatroom dev was successfully created by a.");
        await a.SayAsync("list", "LIST ROOM main 1", "LIST ROOM dev 1", "LIST END CHAT_ROOMS 2");
        await a.SayAsync("LIST all", "LIST ROOM main 1", "LIST CLIENT main:a CONNECTED", "LIST ROOM dev 1", "LIST CLIENT dev:a CONNECTED", "LIST END ALL 4");
        await a.SayAsync("LIST CLIENTS", "LIST ROOM main 1", "LIST CLIENT main:a", "LIST ROOM dev 1", "LIST CLIENT dev:a", "LIST END CHAT_ROOM_AND_CLIENTS 4");
        await a.SayAsync("LIST MINE", "LIST ROOM main 1", "LIST ROOM dev 1", "LIST END CLIENT_CHAT_ROOMS 2");
        await a.SayAsync("LIST CLIENTS_FOR_CHAT_ROOM dev", "LIST CLIENT dev:a", "LIST END CLIENTS_FOR_CHAT_ROOM 1");
        await a.SayAsync("LIST CLIENTS_FOR_CHAT_ROOM x", "ERROR x:* no-such-room there is no room x");
        await a.SayAsync("WHO main", "LIST CLIENT main:a CONNECTED", "LIST END WHO 1");
        await a.SendAsync("LIST nonsense");
        Assert.StartsWith("ERROR *:* bad-argument use one of CHAT_ROOMS", await a.ReadAsync(), StringComparison.Ordinal);
        var stranger = await ConnectAsync(server);
        await stranger.SayAsync("LIST CLIENT_CHAT_ROOMS", "ERROR *:* missing-argument name a client");
    }
}
