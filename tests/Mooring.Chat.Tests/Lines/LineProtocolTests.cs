using System.Text;
using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Lines;

/// <summary>Framing, names and the commands of members, as a client sees them. Names begin with the item of the checklist.</summary>
public sealed class LineProtocolTests : ChatTest
{
    [Fact]
    public async Task Transcript_of_the_document_is_what_clients_see()
    {
        var server = await StartAsync();
        var alice = await ConnectAsync(server);
        var bob = await ConnectAsync(server);
        await alice.SayAsync("HELLO main:alice", "OK HELLO main:alice");
        await bob.SayAsync("NEW dev:bob", "OK NEW dev:bob", "MSG dev:server Chatroom dev was successfully created by bob.");
        await alice.SayAsync("JOIN dev:alice", "OK JOIN dev:alice");
        await bob.ExpectAsync("MSG dev:server Client alice has joined Chat room dev");
        await alice.SayAsync("SEND dev:alice hello  world", "MSG dev:alice hello  world");
        await bob.ExpectAsync("MSG dev:alice hello  world");
        await bob.SayAsync("TELL dev:bob alice psst", "OK TELL dev:bob alice");
        await alice.ExpectAsync("MSG FROM dev:bob psst");
        await alice.SayAsync("PAUSE alice", "OK PAUSE *:alice main,dev");
        await bob.SayAsync("SEND dev:bob are you there", "MSG dev:bob are you there");
        await alice.SayAsync("SEND dev:alice back", "MSG dev:server 1 messages missed", "MSG dev:alice back");
        await bob.ExpectAsync("MSG dev:alice back");
        var carol = await ConnectAsync(server);
        await carol.SayAsync("SEND dev:carol hi", "ERROR dev:carol not-registered say HELLO or JOIN first");
        var dave = await ConnectAsync(server);
        await dave.SayAsync("FOO x", "ERROR *:* unknown-command FOO", "BYE protocol unknown command");
        Assert.Null(await dave.ReadAsync());
        await alice.SayAsync("QUIT alice", "OK QUIT *:alice Good Bye!", "BYE quit");
        Assert.Null(await alice.ReadAsync());
        await bob.ExpectAsync("MSG dev:server Client alice has left Chat room dev");
    }

    [Theory]
    [InlineData("HELLO main:a\nSEND main:a one\nSEND main:a two\n", 1000)]
    [InlineData("HELLO main:a\nSEND main:a one\nSEND main:a two\n", 1)]
    [InlineData("\r\n\nHELLO main:a\r\n\r\nSEND main:a one\r\nSEND main:a two\r\n", 3)]
    [InlineData("\uFEFFhello main:a\nsEnD main:a one\nSend main:a two\n", 7)]
    public async Task C01_C02_lines_arrive_however_they_are_cut_ended_and_written(string text, int pieces)
    {
        var client = await ConnectAsync(await StartAsync());
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(pieces)) await client.SendBytesAsync(piece);
        await client.ExpectAsync("OK HELLO main:a", "MSG main:a one", "MSG main:a two");
    }

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
    public async Task C07_text_is_kept_byte_for_byte_and_counted_in_scalars()
    {
        var client = await JoinAsync(await StartAsync(), "a");
        await client.SayAsync("SEND main:a   two blanks  ", "MSG main:a   two blanks  ");
        await client.SayAsync("SEND main:a", "MSG main:a ");
        foreach (var letter in new[] { "x", "é", "😀" })
        {
            var longest = string.Concat(Enumerable.Repeat(letter, 255));
            await client.SayAsync($"SEND main:a {longest}", $"MSG main:a {longest}");
            await client.SayAsync($"SEND main:a {longest}{letter}", "ERROR main:a message-too-long a message may have 255 characters");
        }
    }

    [Fact]
    public async Task C07_limit_of_the_configuration_takes_effect()
    {
        var server = await StartAsync(Standard with { Limits = new ChatLimits { MessageScalarsMax = 100_000 }, CloseOnTooLong = true });
        var client = await JoinAsync(server, "a");
        var text = new string('x', 100_000);
        await client.SayAsync($"SEND main:a {text}", $"MSG main:a {text}");
        await client.SendAsync($"SEND main:a {text}x");
        await client.ExpectAsync("ERROR main:a message-too-long a message may have 100000 characters", "BYE protocol message too long");
        Assert.Null(await client.ReadAsync());
    }

    [Theory]
    [InlineData("FFFE")]
    [InlineData("C080")]
    [InlineData("EDA080")]
    [InlineData("F4908080")]
    public async Task C08_bytes_that_are_no_utf8_close(string hex)
    {
        var client = await JoinAsync(await StartAsync(), "a");
        await client.SendBytesAsync([.. "SEND main:a "u8, .. Convert.FromHexString(hex), (byte)'\n']);
        await client.ExpectAsync("ERROR *:* bad-encoding lines are UTF-8", "BYE protocol bad encoding");
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task C09_a_line_that_is_too_long_is_skipped_and_one_without_end_closes()
    {
        var client = await JoinAsync(await StartAsync(), "a");
        await client.SayAsync("SEND main:a " + new string('x', 3000), "ERROR *:* line-too-long a line may have 1532 bytes");
        await client.SayAsync("SEND main:a short", "MSG main:a short");
        await client.SendBytesAsync(Encoding.ASCII.GetBytes(new string('x', 70_000)));
        await client.ExpectAsync("ERROR *:* line-too-long a line may have 1532 bytes", "BYE protocol a line without end");
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task C10_the_limit_of_clients_is_exact_and_a_leaver_makes_room()
    {
        var server = await StartAsync(Standard with { Limits = new ChatLimits { ClientsMax = 3 } });
        var first = await JoinAsync(server, "c0");
        for (var i = 1; i < 3; i++)
        {
            await JoinAsync(server, $"c{i}");
            await first.ExpectAsync($"MSG main:server Client c{i} has joined Chat room main");
        }
        var refused = await ConnectAsync(server);
        Assert.Equal(["ERROR *:* server-full the server serves 3 clients at most", "BYE full come back later"], await refused.ReadToEndAsync());
        await first.SayAsync("QUIT", "OK QUIT *:c0 Good Bye!", "BYE quit");
        Assert.Null(await first.ReadAsync());
        await first.DisposeAsync();
        while (server.Hub.Sessions().Length == 3) await Task.Yield();
        await JoinAsync(server, "late");
    }

    [Fact]
    public async Task C10_many_connects_leave_nothing_behind()
    {
        var server = await StartAsync();
        for (var i = 0; i < 1000; i++)
        {
            await using var client = await LineConnection.OpenAsync(server.SocketEndPoints[0], TestTimeout);
            if (i % 3 == 0) await client.SayAsync("HELLO main:same", "OK HELLO main:same");
            if (i % 2 == 0) client.Reset();
            else if (i % 3 == 0) await client.SayAsync("QUIT", "OK QUIT *:same Good Bye!", "BYE quit");
            while (i % 3 == 0 && server.Hub.TryFindClient("same", out _)) await Task.Yield();
        }
        while (server.Hub.Sessions().Length > 0) await Task.Yield();
        Assert.Equal(0, server.Hub.Counters.Open(Rooms.SessionTransport.Tcp));
    }

    [Fact]
    public async Task C11_an_id_in_use_is_refused_and_its_owner_still_receives()
    {
        var server = await StartAsync();
        var owner = await JoinAsync(server, "a");
        var other = await ConnectAsync(server);
        await other.SayAsync("HELLO main:a", "ERROR main:a id-in-use a is in use");
        await other.SayAsync("HELLO main:b", "OK HELLO main:b");
        await other.SayAsync("SEND main:a forged", "ERROR main:a not-owner this connection is b");
        await owner.ExpectAsync("MSG main:server Client b has joined Chat room main");
        await owner.SayAsync("SEND main:a mine", "MSG main:a mine");
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
    public async Task C13_every_way_to_leave_is_told_and_frees_the_id()
    {
        var server = await StartAsync();
        var witness = await JoinAsync(server, "witness");
        foreach (var way in new[] { "quit", "close", "reset", "leave" })
        {
            var leaver = await JoinAsync(server, "leaver");
            await witness.ExpectAsync("MSG main:server Client leaver has joined Chat room main");
            switch (way)
            {
                case "quit":
                    await leaver.SayAsync("QUIT leaver", "OK QUIT *:leaver Good Bye!", "BYE quit");
                    break;
                case "leave":
                    await leaver.SayAsync("LEAVE main:leaver", "OK LEAVE main:leaver");
                    await leaver.SayAsync("SEND main:leaver x", "ERROR main:leaver not-member leaver is not in main");
                    break;
                case "reset":
                    leaver.Reset();
                    break;
                default:
                    // The server's probe on the half-closed connection meets nobody.
                    await leaver.DisposeAsync();
                    break;
            }
            await witness.ExpectAsync("MSG main:server Client leaver has left Chat room main");
        }
    }

    [Fact]
    public async Task C14_a_member_that_ended_its_sending_still_receives()
    {
        var server = await StartAsync();
        var reader = await ConnectAsync(server);
        await reader.SendBytesAsync("HELLO main:x"u8.ToArray());
        reader.EndSending();
        await reader.ExpectAsync("OK HELLO main:x");
        var sender = await JoinAsync(server, "y");
        await sender.SayAsync("SEND main:y hi", "MSG main:y hi");
        await reader.ExpectAsync("MSG main:server Client y has joined Chat room main", "MSG main:y hi");

        var script = await ConnectAsync(server);
        await script.SendBytesAsync("LIST\n"u8.ToArray());
        script.EndSending();
        Assert.Equal(["LIST ROOM main 2", "LIST END CHAT_ROOMS 1", "BYE quit"], await script.ReadToEndAsync());
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

    [Fact]
    public async Task C17_ten_errors_in_a_row_close_and_a_success_between_does_not()
    {
        var server = await StartAsync();
        var client = await JoinAsync(server, "a");
        for (var i = 0; i < 9; i++) await client.SayAsync("JOIN x:a", "ERROR x:a no-such-room there is no room x");
        await client.SayAsync("SEND main:a ok", "MSG main:a ok");
        for (var i = 0; i < 10; i++) await client.SayAsync("JOIN x:a", "ERROR x:a no-such-room there is no room x");
        await client.ExpectAsync("BYE protocol too many errors");
    }

    [Theory]
    [InlineData("HELLO main", "bad-argument")]
    [InlineData("HELLO a:b:c", "bad-argument")]
    [InlineData("HELLO :b", "bad-argument")]
    [InlineData("HELLO main:server", "reserved-id")]
    [InlineData("HELLO main:SERVER", "reserved-id")]
    [InlineData("HELLO main:ѕerver", "reserved-id")]
    [InlineData("HELLO main:ser\u200Bver", "reserved-id")]
    [InlineData("HELLO main:-", "reserved-id")]
    [InlineData("HELLO main:a\u0085b", "bad-argument")]
    [InlineData("HELLO main:a\u2003b", "bad-argument")]
    [InlineData("HELLO main:a\0b", "bad-argument")]
    [InlineData("NEW *:a", "bad-argument")]
    [InlineData("JOIN", "missing-argument")]
    public async Task Names_that_are_not_allowed_are_refused(string line, string code)
    {
        var client = await ConnectAsync(await StartAsync());
        await client.SendAsync(line);
        Assert.Equal(code, (await client.ReadAsync())!.Split(' ')[2]);
    }

    [Fact]
    public async Task Capabilities_add_tags_events_and_acknowledgements()
    {
        var server = await StartAsync();
        var a = await ConnectAsync(server);
        await a.SayAsync("CAPS tags events acks", "OK CAPS *:* tags events acks");
        await a.SayAsync("HELLO main:a", "OK HELLO main:a");
        await a.SendAsync("SEND main:a hi");
        Assert.Matches(@"^@id=[0-9a-f]{16}-\d+;seq=1;time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z MSG main:a hi$", await a.ReadAsync());
        await a.ExpectAsync("OK SEND main:a 1");
        var b = await JoinAsync(server, "b");
        Assert.Matches("^@id=.*;notice=1 MSG main:server Client b has joined Chat room main$", await a.ReadAsync());
        await a.ExpectAsync("EVENT join main:b");
        await a.SayAsync("CAPS", "OK CAPS *:a");
        await b.SayAsync("SEND main:b plain", "MSG main:b plain");
        await a.ExpectAsync("MSG main:b plain");
    }

    [Fact]
    public async Task Clocks_close_who_does_not_register_and_who_does_not_answer_pings()
    {
        var clock = new TestClock();
        var server = await StartAsync(time: clock);
        var silent = await ConnectAsync(server);
        var pinged = await JoinAsync(server, "pinged");
        await pinged.SayAsync("CAPS ping", "OK CAPS *:pinged ping");
        while (server.Hub.Sessions().Length < 2) await Task.Yield();
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(["BYE timeout no HELLO, JOIN or NEW in time"], await silent.ReadToEndAsync());
        Assert.StartsWith("PING ", await pinged.ReadAsync(), StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.StartsWith("PING ", await pinged.ReadAsync(), StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromSeconds(31));
        await pinged.ExpectAsync("BYE timeout no answer to PING");
    }

    [Fact]
    public async Task C33_shutdown_delivers_what_was_accepted_and_says_so()
    {
        var server = await StartAsync();
        var a = await JoinAsync(server, "a");
        for (var i = 0; i < 100; i++) await a.SendAsync($"SEND main:a {i}");
        await a.SendAsync("PING last");
        await a.ExpectAsync([.. Enumerable.Range(0, 100).Select(i => $"MSG main:a {i}"), "PONG last"]);
        var stop = server.StopAsync();
        Assert.Equal(["BYE shutdown the server is going down"], await a.ReadToEndAsync());
        await a.DisposeAsync();
        await stop;
    }
}
