using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Lines;

/// <summary>How clients come and go, and what frees an id. Names begin with the item of the checklist.</summary>
public sealed class ComingAndGoingTests : ChatTest
{
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
        await Eventually.TrueAsync(() => server.Hub.Sessions().Length < 3, "room for another client", TestTimeout);
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
            if (i % 3 == 0) await Eventually.TrueAsync(() => !server.Hub.TryFindClient("same", out _), "the id to be free", TestTimeout);
        }
        await Eventually.TrueAsync(() => server.Hub.Sessions().Length == 0, "the end of all sessions", TestTimeout);
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
    public async Task Clocks_close_who_does_not_register_and_who_does_not_answer_pings()
    {
        var clock = new TestClock();
        var server = await StartAsync(time: clock);
        var silent = await ConnectAsync(server);
        var pinged = await JoinAsync(server, "pinged");
        await pinged.SayAsync("CAPS ping", "OK CAPS *:pinged ping");
        await Eventually.TrueAsync(() => server.Hub.Sessions().Length == 2, "both clients", TestTimeout);
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(["BYE timeout no HELLO, JOIN or NEW in time"], await silent.ReadToEndAsync());
        Assert.StartsWith("PING ", await pinged.ReadAsync(), StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.StartsWith("PING ", await pinged.ReadAsync(), StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromSeconds(31));
        await pinged.ExpectAsync("BYE timeout no answer to PING");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_is_set_by_a_day_closes_nobody_and_holds_up_no_time_out(int days)
    {
        var clock = new TestClock();
        var server = await StartAsync(Standard with { Limits = new ChatLimits { IdleTimeout = TimeSpan.FromSeconds(60), RoomIdleSeconds = 100 } }, clock);
        var silent = await ConnectAsync(server);
        var idle = await JoinAsync(server, "idle");
        var founder = await ConnectAsync(server);
        await founder.SayAsync("NEW empty:founder", "OK NEW empty:founder", "MSG empty:server Chatroom empty was successfully created by founder.");
        await founder.SayAsync("QUIT", "OK QUIT *:founder Good Bye!", "BYE quit");
        await founder.DisposeAsync();
        await Eventually.TrueAsync(() => server.Hub.Sessions().Length == 2, "the two that stay", TestTimeout);
        clock.Set(TimeSpan.FromDays(days));
        server.Hub.Sweep();
        await idle.SayAsync("PING on", "PONG on");
        Assert.Contains(server.Hub.Rooms(), room => room.Name == "empty");
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(["BYE timeout no HELLO, JOIN or NEW in time"], await silent.ReadToEndAsync());
        clock.Advance(TimeSpan.FromSeconds(31));
        await idle.ExpectAsync("BYE timeout idle");
        clock.Advance(TimeSpan.FromSeconds(41));
        Assert.DoesNotContain(server.Hub.Rooms(), room => room.Name == "empty");
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
