using System.Diagnostics.Tracing;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Mooring.Chat.Configuration;
using Mooring.Chat.Rooms;
using Mooring.Chat.Tests.Http;
using Mooring.Testing;

namespace Mooring.Chat.Tests;

/// <summary>Tests that look at the whole process, so nothing may run beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

/// <summary>
/// Much of everything, then nothing: what was taken is given back. A day of such use cannot be run here; what would grow in a day grows in
/// these seconds too, since every piece of it comes some hundred times.
/// </summary>
[Collection(Alone.Name)]
public sealed class SoakTests : ChatTest
{
    private const int Readers = 4;
    private const int MessagesOfABatch = 500;

    // What the collector and the framework keep or not as they like; one kept message, member or room of each turn would be more.
    private const long HeapMargin = 1_500_000;
    private const int RentedMargin = 32;

    private static readonly ChatOptions Options = Standard with
    {
        Mode = ChatMode.Both,
        Announce = Announcements.None,
        Limits = new ChatLimits { ClientsMax = 1000, RoomsMax = 2000, RoomIdleSeconds = 60, MailboxTime = TimeSpan.FromSeconds(120), DirectQueue = 10 },
    };

    [Fact]
    public async Task C34_sixty_thousand_messages_and_two_thousand_joins_leave_nothing_behind()
    {
        var clock = new TestClock();
        // A log that is collected would be what grows.
        var server = Own(new ChatServer(Options, NullLoggerFactory.Instance, clock));
        await server.StartAsync(TestTimeout);
        using var rented = new RentedBuffers();
        await RoundAsync(server, "first", batches: 10);
        var timers = await SettleAsync(server, clock);
        var (heap, buffers) = (Heap(), rented.Count);

        for (var round = 0; round < 4; round++)
        {
            await RoundAsync(server, $"round{round}", batches: 30);
            Assert.Equal(timers, await SettleAsync(server, clock));
        }
        Assert.InRange(server.Hub.Counters.MessagesIn, 60_000, long.MaxValue);
        Assert.InRange(server.Hub.Counters.Registrations, 2_000, long.MaxValue);
        await Eventually.TrueAsync(() => rented.Count - buffers < RentedMargin, $"returned buffers: {buffers} were out before", TestTimeout);
        await Eventually.TrueAsync(() => Heap() - heap < HeapMargin, $"a heap of at most {heap + HeapMargin} bytes", TestTimeout);
    }

    private async Task RoundAsync(ChatServer server, string name, int batches)
    {
        await ChatterAsync(server, name, batches);
        await JoinAndLeaveAsync(server, name);
        await AbandonAsync(server, name);
    }

    /// <summary>One sender and some readers of one room.</summary>
    private async Task ChatterAsync(ChatServer server, string name, int batches)
    {
        var members = new List<LineConnection>();
        for (var i = 0; i < Readers; i++) members.Add(await JoinAsync(server, $"{name}-{i}"));
        var batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat($"SEND main:{name}-0 some text that is said over and over\n", MessagesOfABatch)));
        for (var i = 0; i < batches; i++)
        {
            await members[0].SendBytesAsync(batch);
            await Task.WhenAll(members.Select(member => DrainAsync(member.Socket, MessagesOfABatch)));
        }
        foreach (var member in members) await member.DisposeAsync();
    }

    /// <summary>Clients that come, open a room of their own, join another, say something to somebody and go, in every way there is.</summary>
    private async Task JoinAndLeaveAsync(ChatServer server, string name)
    {
        for (var i = 0; i < 420; i++)
        {
            var client = await LineConnection.OpenAsync(server.SocketEndPoints[0], TestTimeout);
            var id = $"{name}-guest{i}";
            await client.SendAsync($"NEW {id}:{id}\nJOIN main:{id}\nTELL main:{id} {id} psst\nPAUSE {id}\nLEAVE main:{id}\nPING done");
            string? line;
            do line = await client.ReadAsync();
            while (line is not (null or "PONG done"));
            Assert.NotNull(line);
            if (i % 3 == 0) Assert.True(server.Hub.CloseRoom(id, "operator").IsDone);
            if (i % 2 == 0) client.Reset();
            else await client.DisposeAsync();
        }
    }

    /// <summary>WebSockets that vanish in the middle, and mailboxes that nobody opens.</summary>
    private async Task AbandonAsync(ChatServer server, string name)
    {
        using var rest = new RestConnection(server, TestTimeout);
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(200, (await rest.PostAsync("/clients/register", new { client_name = $"{name}-box{i}" })).Status);
            var socket = await SocketConnection.OpenAsync(server, $"/ws/{name}-web{i}/{name}-lounge{i % 3}", "chat.v1.json", TestTimeout);
            await socket.SendAsync("""{"type":"send","text":"hello"}""");
            await socket.ReadJsonAsync("send");
            if (i % 2 == 0) socket.Socket.Abort();
            await socket.DisposeAsync();
        }
        Assert.Equal(200, (await rest.PostAsync("/messages/send", new { message_data = "to the boxes", chat_room = "main", client_id = "robot" })).Status);
    }

    /// <summary>Everybody is gone, time passes, and what was theirs is gone with them; returns the timers that are left.</summary>
    private async Task<int> SettleAsync(ChatServer server, TestClock clock)
    {
        var hub = server.Hub;
        await Eventually.TrueAsync(() => hub.Sessions().All(session => session.Mailbox is not null), "the end of all connections", TestTimeout);
        clock.Advance(TimeSpan.FromSeconds(121));
        await Eventually.TrueAsync(() => hub.Sessions().Length == 0, "the end of all mailboxes", TestTimeout);
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("main", Assert.Single(hub.Rooms()).Name);
        Assert.Equal(0, hub.Rooms()[0].Count);
        foreach (var transport in Enum.GetValues<SessionTransport>()) Assert.Equal(0, hub.Counters.Open(transport));
        // The framework drops its connections to this server as it notices their ends.
        await Eventually.TrueAsync(() => clock.ActiveTimers <= 1, "no timer but the one of the sweep", TestTimeout);
        return clock.ActiveTimers;
    }

    private async Task DrainAsync(Socket socket, int lines)
    {
        var buffer = new byte[16 * 1024];
        while (lines > 0)
        {
            var read = await socket.ReceiveAsync(buffer, TestTimeout);
            Assert.NotEqual(0, read);
            lines -= buffer.AsSpan(0, read).Count((byte)'\n');
        }
        Assert.Equal(0, lines);
    }

    private static long Heap()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    /// <summary>Buffers of the shared pools that are out, as the pools themselves tell.</summary>
    private sealed class RentedBuffers : EventListener
    {
        private const int Rented = 1;
        private const int Returned = 3;

        private int _count;

        internal int Count => Volatile.Read(ref _count);

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "System.Buffers.ArrayPoolEventSource") EnableEvents(eventSource, EventLevel.Verbose);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventId == Rented) Interlocked.Increment(ref _count);
            else if (eventData.EventId == Returned) Interlocked.Decrement(ref _count);
        }
    }
}
