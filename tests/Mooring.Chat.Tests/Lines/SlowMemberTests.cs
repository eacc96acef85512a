using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Mooring.Chat.Configuration;

namespace Mooring.Chat.Tests.Lines;

/// <summary>Members that do not read for a while, where the policy is to leave messages out: they are told what they do not get.</summary>
public sealed class SlowMemberTests : ChatTest
{
    private const string Padding = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    [Theory]
    [InlineData("drop_oldest", 64 * 1024, 0)]
    [InlineData("drop_newest", 64 * 1024, 0)]
    [InlineData("drop_oldest", 1024 * 1024, 100)]
    [InlineData("drop_newest", 1024 * 1024, 100)]
    public async Task E04_what_is_left_out_is_told_at_its_place_and_counted(string policy, int bytes, int messages)
    {
        var server = await StartAsync(Options(policy, bytes, messages));
        var slow = await ConnectSlowAsync(server);
        var sender = await JoinAsync(server, "sender");
        var sent = 0;
        // Well beyond the first that is left out, so that both ends of the gap are seen.
        while (sent < 2000 || PendingOf(server) < (messages > 0 ? 0 : bytes / 2) || !IsLeavingOut(server))
        {
            await sender.SayAsync($"SEND main:sender {sent} {Padding}", $"MSG main:sender {sent} {Padding}");
            sent++;
            foreach (var session in server.Hub.Sessions()) Assert.InRange(session.PendingBytes, 0, 4 * bytes);
        }
        for (var i = 0; i < 500; i++, sent++) await sender.SayAsync($"SEND main:sender {sent} {Padding}", $"MSG main:sender {sent} {Padding}");

        var missed = await ReadToBarrierAsync(slow, sent);
        Assert.True(missed > 0);
        Assert.Equal(missed, server.Hub.Counters.MessagesDropped);
        Assert.Equal(0, server.Hub.Counters.SlowConsumerCloses);
        await slow.NothingAsync();
    }

    [Fact]
    public async Task E04_more_messages_than_may_wait_close_a_member_that_takes_nothing()
    {
        var server = await StartAsync(Options("disconnect", 1024 * 1024 * 1024, 100));
        var slow = await ConnectSlowAsync(server);
        var sender = await JoinAsync(server, "sender");
        while (server.Hub.Counters.SlowConsumerCloses == 0) await sender.SayAsync($"SEND main:sender {Padding}", $"MSG main:sender {Padding}");
        Assert.StartsWith("BYE slow-consumer more than 1073741824 bytes or 100 messages were waiting", (await slow.ReadToEndAsync())[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task E04_a_batch_of_answers_that_is_taken_is_no_queue()
    {
        var server = await StartAsync(Options("disconnect", 1024 * 1024, 10));
        var client = await JoinAsync(server, "eager");
        await client.SendBytesAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("PING x\n", 1000))));
        for (var i = 0; i < 1000; i++) await client.ExpectAsync("PONG x");
    }

    private static ChatOptions Options(string policy, int bytes, int messages) => ChatConfiguration.Load(
        new Dictionary<string, string> { ["slow_consumer"] = policy, ["send_queue_messages"] = messages.ToString(CultureInfo.InvariantCulture) },
        null, _ => null, isStrict: true, searches: false).Options is var read
            ? Standard with { SlowConsumer = read.SlowConsumer, Announce = Announcements.None, Limits = read.Limits with { SendQueueBytes = bytes } }
            : Standard;

    private static long PendingOf(ChatServer server) => server.Hub.TryFindClient("slow", out var slow) ? slow.PendingBytes : 0;

    /// <summary>Counted at once by the one policy; by the other the member's place says so.</summary>
    private static bool IsLeavingOut(ChatServer server) =>
        server.Hub.Counters.MessagesDropped > 0 || (server.Hub.TryFindClient("slow", out var slow) && slow.Memberships is [{ LeftOutSince: >= 0 }]);

    /// <summary>Reads everything that was sent, and the answer to a PING; every number is there or told as missed.</summary>
    private static async Task<long> ReadToBarrierAsync(LineConnection slow, int sent)
    {
        await slow.SendAsync("PING behind");
        var (next, missed, isAnswered) = (0L, 0L, false);
        while (next < sent || !isAnswered)
        {
            var words = (await slow.ReadAsync())!.Split(' ');
            switch (words)
            {
                case ["PONG", "behind"]:
                    isAnswered = true;
                    break;
                case ["MSG", "main:server", var count, "messages", "missed"]:
                    missed += long.Parse(count, CultureInfo.InvariantCulture);
                    next += long.Parse(count, CultureInfo.InvariantCulture);
                    break;
                default:
                    Assert.Equal(["MSG", "main:sender", next.ToString(CultureInfo.InvariantCulture), Padding], words);
                    next++;
                    break;
            }
        }
        return missed;
    }

    private async Task<LineConnection> ConnectSlowAsync(ChatServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        var slow = Own(new LineConnection(socket, new NetworkStream(socket), TestTimeout));
        await slow.SayAsync("HELLO main:slow", "OK HELLO main:slow");
        return slow;
    }
}
