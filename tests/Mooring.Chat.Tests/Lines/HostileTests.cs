using System.Net.Sockets;
using System.Text;
using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Lines;

/// <summary>Clients that are broken, slow or mean: nobody else notices, and nothing grows.</summary>
public sealed class HostileTests : ChatTest
{
    private const int Seed = 20_260_101;

    [Fact]
    public async Task Twenty_thousand_random_and_mutated_inputs_harm_nobody()
    {
        string[] seeds =
        [
            "HELLO main:x\n", "SEND main:x hi\n", "NEW r:x\n", "TELL main:x a,b hi\n", "PAUSE x\n", "LIST ALL\n", "HISTORY main last=5\n",
            "CAPS tags events acks ping resume\n", "TOPIC main:x t\n", "BAN r:x 5\n", "QUIT x\n", "LEAVE main:x\n", "@id=1 MSG x\n", "AUTH t\n",
        ];
        var server = await StartAsync(Standard with { CloseOnUnknownCommand = false, Limits = new ChatLimits { ProtocolErrorsMax = 1_000_000, RoomsMax = 50 } });
        var witness = await JoinAsync(server, "witness");
        await witness.SayAsync("NEW quiet:witness", "OK NEW quiet:witness", "MSG quiet:server Chatroom quiet was successfully created by witness.");
        await witness.SayAsync("LEAVE main:witness", "OK LEAVE main:witness");
        var random = new Random(Seed);
        for (var round = 0; round < 200; round++)
        {
            var mean = await LineConnection.OpenAsync(server.SocketEndPoints[0], TestTimeout);
            var bytes = new List<byte>();
            for (var i = 0; i < 100; i++) bytes.AddRange(Mutate(random, Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)])));
            try
            {
                foreach (var piece in bytes.Chunk(random.Next(1, 4096))) await mean.SendBytesAsync(piece);
            }
            catch (IOException)
            {
                // It has been closed for its input.
            }
            if (round % 2 == 0) mean.Reset();
            else await mean.DisposeAsync();
        }
        await witness.SayAsync("SEND quiet:witness alive", "MSG quiet:witness alive");
    }

    [Fact]
    public async Task C18_a_member_that_never_reads_is_closed_and_others_get_everything()
    {
        const int Messages = 20_000;
        var limits = new ChatLimits { SendQueueBytes = 64 * 1024 };
        var server = await StartAsync(Standard with { Limits = limits, Announce = Announcements.Join });
        var stalled = await ConnectStalledAsync(server);
        var reader = await JoinAsync(server, "reader");
        var sender = await JoinAsync(server, "sender");
        await reader.ExpectAsync("MSG main:server Client sender has joined Chat room main");
        var text = new string('x', 200);
        var received = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++) Assert.Equal($"MSG main:sender {i:D6}{text}", await reader.ReadAsync());
        }, TestTimeout);
        for (var i = 0; i < Messages; i++)
        {
            await sender.SendAsync($"SEND main:sender {i:D6}{text}");
            Assert.Equal($"MSG main:sender {i:D6}{text}", await sender.ReadAsync());
            foreach (var session in server.Hub.Sessions()) Assert.InRange(session.PendingBytes, 0, 4 * limits.SendQueueBytes);
            if (i % 1000 == 999 && i < Messages - 1) await Task.Yield();
        }
        await received;
        Assert.Equal(1, server.Hub.Counters.SlowConsumerCloses);
        Assert.False(server.Hub.TryFindClient("stalled", out _));
        stalled.Dispose();
    }

    [Fact]
    public async Task C16_a_listing_or_history_larger_than_the_queue_arrives_whole()
    {
        var server = await StartAsync(Standard with { Limits = new ChatLimits { SendQueueBytes = 4096, HistorySize = 1000 } });
        for (var i = 0; i < 500; i++) Assert.True(server.Hub.CreateRoom($"a-room-with-a-long-name-{i}", "somebody").IsDone);
        Assert.True(server.Hub.TryFindRoom("main", out var main));
        for (var i = 0; i < 1000; i++) main.Publish(null, null, "robot", "robot"u8, "some text of some length"u8, isPlain: true, out _);
        var a = await JoinAsync(server, "a");
        await a.SendAsync("LIST ROOMS");
        await a.ExpectAsync("LIST ROOM main 1");
        for (var i = 0; i < 500; i++) await a.ExpectAsync($"LIST ROOM a-room-with-a-long-name-{i} 0");
        await a.ExpectAsync("LIST END CHAT_ROOMS 501");
        await a.SendAsync("HISTORY main since=0");
        for (var i = 0; i < 1000; i++) await a.ExpectAsync("MSG main:robot some text of some length");
        await a.SayAsync("PING still", "OK HISTORY main:a 1000", "PONG still");
        // One such reply is as large as what it tells; a pile of them would be as large as the client likes.
        await a.SendBytesAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("HISTORY main since=0\n", 50))));
        Assert.Equal("BYE slow-consumer more than 4096 bytes were waiting", (await a.ReadToEndAsync())[^1]);
    }

    [Fact]
    public async Task Controls_of_a_line_reach_nobody()
    {
        var server = await StartAsync();
        var a = await JoinAsync(server, "a");
        await a.SayAsync("SEND main:a x\0y\u001b[2J\u0007\u007fz\tend", "MSG main:a xy[2Jz\tend");
        await a.SayAsync("NE\0W r:a", "ERROR *:* unknown-command NEW", "BYE protocol unknown command");
    }

    [Fact]
    public async Task A_flood_of_connects_that_say_nothing_is_refused_at_the_limit_and_then_cut()
    {
        var clock = new TestClock();
        var server = await StartAsync(Standard with { Limits = new ChatLimits { ClientsMax = 50 } }, clock);
        var silent = new List<LineConnection>();
        for (var i = 0; i < 50; i++) silent.Add(await ConnectAsync(server));
        await silent[^1].NothingAsync();
        for (var i = 0; i < 200; i++)
        {
            await using var refused = await LineConnection.OpenAsync(server.SocketEndPoints[0], TestTimeout);
            Assert.StartsWith("ERROR *:* server-full", (await refused.ReadToEndAsync())[0], StringComparison.Ordinal);
        }
        clock.Advance(TimeSpan.FromSeconds(31));
        foreach (var connection in silent) Assert.Equal(["BYE timeout no HELLO, JOIN or NEW in time"], await connection.ReadToEndAsync());
        foreach (var connection in silent) await connection.DisposeAsync();
        await SettledAsync(server);
        await JoinAsync(server, "welcome");
    }

    [Fact]
    public async Task C34_churn_over_every_transport_leaves_no_descriptor_session_or_room_member_behind()
    {
        var server = await StartAsync(Standard with { Mode = ChatMode.Both, Limits = new ChatLimits { ClientsMax = 1000 } });
        using var rest = new Http.RestConnection(server, TestTimeout);
        await ChurnAsync(server, rest, 20);
        var descriptors = await SettledAsync(server);
        await ChurnAsync(server, rest, 300);
        // The framework keeps a few sockets of its own for a while.
        Assert.InRange(await SettledAsync(server), 0, descriptors + 20);
        Assert.Equal(0, server.Hub.TryFindRoom("main", out var main) ? main.Count : -1);
        foreach (var transport in Enum.GetValues<Rooms.SessionTransport>()) Assert.Equal(0, server.Hub.Counters.Open(transport));
    }

    [Fact]
    public async Task A_client_that_does_not_take_its_answers_is_not_read_from()
    {
        var server = await StartAsync(Standard with { Limits = new ChatLimits { SendQueueBytes = 64 * 1024 } });
        using var greedy = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096, SendTimeout = 500 };
        await greedy.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        var asks = Encoding.ASCII.GetBytes("HELLO main:greedy\n" + string.Concat(Enumerable.Repeat("HELP\n", 10_000)));
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestTimeout);
            while (server.Hub.Counters.SlowConsumerCloses == 0)
            {
                Assert.All(server.Hub.Sessions(), session => Assert.InRange(session.PendingBytes, 0, 128 * 1024));
                greedy.Send(asks);
            }
            throw new InvalidOperationException("closed as slow, which is as good");
        });
    }

    [Fact]
    public async Task A_reader_of_one_byte_at_a_time_gets_whole_lines()
    {
        var server = await StartAsync();
        var slow = await JoinAsync(server, "slow");
        var sender = await JoinAsync(server, "sender");
        await slow.ExpectAsync("MSG main:server Client sender has joined Chat room main");
        await sender.SayAsync("SEND main:sender ünïcödé", "MSG main:sender ünïcödé");
        var bytes = new List<byte>();
        var one = new byte[1];
        while (bytes.Count == 0 || bytes[^1] != '\n')
        {
            await slow.Socket.ReceiveAsync(one, TestTimeout);
            bytes.Add(one[0]);
        }
        Assert.Equal("MSG main:sender ünïcödé\n", Encoding.UTF8.GetString([.. bytes]));
    }

    [Fact]
    public async Task Floods_of_rooms_joins_and_members_meet_their_limits()
    {
        var server = await StartAsync(Standard with { Limits = new ChatLimits { RoomsMax = 5, RoomsPerClientMax = 3, RoomMembersMax = 2 } });
        var a = await JoinAsync(server, "a");
        for (var i = 0; i < 2; i++) await a.SayAsync($"NEW r{i}:a", $"OK NEW r{i}:a", $"MSG r{i}:server Chatroom r{i} was successfully created by a.");
        await a.SayAsync("NEW r2:a", "ERROR r2:a too-many-rooms a client may be in 3 rooms");
        var b = await JoinAsync(server, "b");
        for (var i = 2; i < 4; i++) await b.SayAsync($"NEW r{i}:b", $"OK NEW r{i}:b", $"MSG r{i}:server Chatroom r{i} was successfully created by b.");
        var c = await ConnectAsync(server);
        await c.SayAsync("NEW r9:c", "ERROR r9:c too-many-rooms there may be 5 rooms");
        await c.SayAsync("JOIN main:c", "ERROR main:c forbidden main is full");
    }

    [Fact]
    public async Task Rates_hold_for_clients_and_for_rooms()
    {
        var clock = new TestClock();
        var server = await StartAsync(Standard with { Limits = new ChatLimits { Rate = 1, RateBurst = 2 } }, clock);
        var a = await JoinAsync(server, "a");
        await a.SayAsync("SEND main:a 1", "MSG main:a 1");
        await a.SayAsync("SEND main:a 2", "MSG main:a 2");
        await a.SayAsync("SEND main:a 3", "ERROR main:a rate-limited 1000 ms to wait");
        clock.Advance(TimeSpan.FromSeconds(1));
        await a.SayAsync("SEND main:a 4", "MSG main:a 4");
        Assert.Equal(1, server.Hub.Counters.RateLimitHits);
        // A clock that is set back by a day silences nobody for a day, and one that is set forward opens nothing.
        clock.Set(TimeSpan.FromDays(-1));
        clock.Advance(TimeSpan.FromSeconds(1));
        await a.SayAsync("SEND main:a 5", "MSG main:a 5");
        clock.Set(TimeSpan.FromMinutes(1));
        await a.SayAsync("SEND main:a 6", "ERROR main:a rate-limited 1000 ms to wait");
    }

    [Fact]
    public async Task E08_a_flood_is_silenced_for_a_while_and_only_it()
    {
        var clock = new TestClock();
        var server = await StartAsync(Standard with { Announce = Announcements.None, Limits = new ChatLimits { Rate = 1, RateBurst = 3, FloodMuteSeconds = 60 } }, clock);
        var flood = await JoinAsync(server, "flood");
        var calm = await JoinAsync(server, "calm");
        for (var i = 0; i < 3; i++) await flood.SayAsync("SEND main:flood x", "MSG main:flood x");
        for (var i = 0; i < 2; i++) await flood.SayAsync("SEND main:flood x", "ERROR main:flood rate-limited 1000 ms to wait");
        await flood.SayAsync("SEND main:flood x", "ERROR main:flood rate-limited 60000 ms to wait");
        Assert.Single(Log.Entries, entry => entry.Event.Id == 5012);
        clock.Advance(TimeSpan.FromSeconds(59));
        await flood.SayAsync("SEND main:flood x", "ERROR main:flood rate-limited 1000 ms to wait");
        await calm.SayAsync("SEND main:calm y", "MSG main:flood x", "MSG main:flood x", "MSG main:flood x", "MSG main:calm y");
        clock.Advance(TimeSpan.FromSeconds(1));
        await flood.SayAsync("SEND main:flood again", "MSG main:calm y", "MSG main:flood again");
    }

    [Fact]
    public async Task Connections_of_one_address_are_limited_where_that_is_wanted()
    {
        var server = await StartAsync(Standard with { Limits = new ChatLimits { ConnectionsPerAddress = 2 } });
        await JoinAsync(server, "a");
        await JoinAsync(server, "b");
        var third = await ConnectAsync(server);
        Assert.StartsWith("ERROR *:* server-full", (await third.ReadToEndAsync())[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task E07_a_flood_of_connects_of_one_address_meets_its_rate()
    {
        var clock = new TestClock();
        var server = await StartAsync(Standard with { Limits = new ChatLimits { ConnectionRatePerAddress = 2 } }, clock);
        await JoinAsync(server, "a");
        await JoinAsync(server, "b");
        var third = await ConnectAsync(server);
        Assert.Equal(
            ["ERROR *:* rate-limited 500 ms to wait, 2 connections a second may come from one address", "BYE full come back later"], await third.ReadToEndAsync());
        clock.Advance(TimeSpan.FromMilliseconds(500));
        await JoinAsync(server, "c");
    }

    [Fact]
    public async Task The_addresses_that_a_load_balancer_tells_are_those_that_are_limited()
    {
        var server = await StartAsync(Standard with { Mode = ChatMode.Both, ProxyProtocol = true, Limits = new ChatLimits { ConnectionsPerAddress = 1 } });
        var first = await ConnectAsync(server);
        // In two pieces, the second with the first command.
        await first.SendBytesAsync("PROXY TCP4 192.0.2."u8.ToArray());
        await first.SendBytesAsync("7 198.51.100.2 1 2\r\nHELLO main:a\n"u8.ToArray());
        await first.ExpectAsync("OK HELLO main:a");
        Assert.True(server.Hub.TryFindClient("a", out var session));
        Assert.Equal("192.0.2.7", session.Remote);
        var second = await ConnectAsync(server);
        await second.SendBytesAsync("PROXY TCP4 192.0.2.8 198.51.100.2 1 2\r\nHELLO main:b\n"u8.ToArray());
        await second.ExpectAsync("OK HELLO main:b");
        var third = await ConnectAsync(server);
        await third.SendBytesAsync("PROXY TCP4 192.0.2.7 198.51.100.2 1 2\r\nHELLO main:c\n"u8.ToArray());
        Assert.StartsWith("ERROR *:* server-full", (await third.ReadToEndAsync())[0], StringComparison.Ordinal);
        var direct = await ConnectAsync(server);
        await direct.SendAsync("HELLO main:d");
        await direct.ExpectAsync("BYE protocol the connection does not begin with a PROXY header");
    }

    [Fact]
    public async Task A_resume_token_takes_an_id_over_and_a_wrong_one_does_not()
    {
        var server = await StartAsync();
        var first = await ConnectAsync(server);
        await first.SayAsync("CAPS resume", "OK CAPS *:* resume");
        await first.SendAsync("HELLO main:a");
        var answer = (await first.ReadAsync())!.Split(' ');
        var thief = await ConnectAsync(server);
        await thief.SayAsync("HELLO main:a resume=0123", "ERROR main:a id-in-use a is in use");
        var again = await ConnectAsync(server);
        await again.SayAsync($"HELLO main:a {answer[3]}", "OK HELLO main:a");
        await first.ExpectAsync("BYE replaced the id is in use elsewhere");
        Assert.Null(await first.ReadAsync());
    }

    [Fact]
    public async Task A_taken_port_fails_the_start_and_opens_nothing()
    {
        var server = await StartAsync(Standard with { Mode = ChatMode.Both });
        var second = new ChatServer(Standard with { Mode = ChatMode.Both, Http = server.HttpEndPoint! }, LoggerFactory, TimeProvider.System);
        await Assert.ThrowsAnyAsync<IOException>(() => second.StartAsync(TestTimeout));
        var third = new ChatServer(Standard with { Sockets = [server.SocketEndPoints[0]] }, LoggerFactory, TimeProvider.System);
        await Assert.ThrowsAnyAsync<IOException>(() => third.StartAsync(TestTimeout));
    }

    [Fact]
    public async Task C33_shutdown_under_load_loses_nothing_that_was_echoed()
    {
        var server = await StartAsync();
        var reader = await JoinAsync(server, "reader");
        var sender = await JoinAsync(server, "sender");
        await reader.ExpectAsync("MSG main:server Client sender has joined Chat room main");
        var echoed = 0;
        var sending = Task.Run(async () =>
        {
            try
            {
                for (var i = 0; ; i++) await sender.SendAsync($"SEND main:sender {i}");
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
                // The server has stopped.
            }
        }, TestTimeout);
        while (echoed < 500) Assert.Equal($"MSG main:sender {echoed++}", await sender.ReadAsync());
        var stop = server.StopAsync();
        while (await sender.ReadAsync() is { } line && line == $"MSG main:sender {echoed}") echoed++;
        var seen = 0;
        while (await reader.ReadAsync() is { } line && line == $"MSG main:sender {seen}") seen++;
        Assert.True(seen >= echoed, $"the sender saw {echoed}, the reader {seen}");
        await sender.DisposeAsync();
        await reader.DisposeAsync();
        await Task.WhenAll(sending, stop);
    }

    private async Task ChurnAsync(ChatServer server, Http.RestConnection rest, int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            var line = await JoinAsync(server, $"line{i}");
            var socket = await Http.SocketConnection.OpenAsync(server, $"/ws/web{i}/main", "chat.v1.json", TestTimeout);
            await rest.PostAsync("/clients/register", new { client_name = $"rest{i}" });
            await rest.PostAsync("/messages/send", new { message_data = "x", chat_room = "main", client_id = $"rest{i}" });
            await rest.PostAsync("/clients/close", new { client_id = $"rest{i}" });
            if (i % 2 == 0) line.Reset();
            else await line.DisposeAsync();
            await socket.DisposeAsync();
        }
    }

    /// <summary>Waits until the server has noticed that all clients are gone; returns the descriptors of this process.</summary>
    private async Task<int> SettledAsync(ChatServer server)
    {
        await Eventually.TrueAsync(() => server.Hub.Sessions().Length == 0, "the end of all sessions", TestTimeout);
        return Directory.GetFiles("/proc/self/fd").Length;
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        switch (random.Next(5))
        {
            case 0:
                return bytes;
            case 1:
                var noise = new byte[random.Next(1, 64)];
                random.NextBytes(noise);
                return noise;
            case 2:
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes;
            case 3:
                return bytes[..random.Next(bytes.Length)];
            default:
                return [.. bytes[..random.Next(bytes.Length)], .. bytes];
        }
    }

    private async Task<Socket> ConnectStalledAsync(ChatServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        await socket.SendAsync(Encoding.ASCII.GetBytes("HELLO main:stalled\n"), TestTimeout);
        await Eventually.TrueAsync(() => server.Hub.TryFindClient("stalled", out _), "the registration of the stalled client", TestTimeout);
        return socket;
    }
}
