using Mooring.Kernel.Links;
using Mooring.Mqtt.Codec;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>Back-off, takeover, and lines that fail at every byte.</summary>
public sealed class ReconnectTests : ClientTest
{
    private static readonly BackoffPolicy Doubling = new() { Jitter = 0 };

    [Fact]
    public async Task Waits_Grow_ToTheCap()
    {
        var clock = new TestClock();
        var (broker, client) = Create(Options with { Backoff = Doubling }, clock);
        broker.IsUnreachable = true;
        var waiting = Moves(client, LinkState.Waiting);
        _ = client.StartAsync(TestTimeout);
        foreach (var seconds in (int[])[1, 2, 4, 8, 16, 32, 60, 60])
        {
            await waiting.ReadAsync(TestTimeout);
            await clock.WhenTimerDueInAsync(TimeSpan.FromSeconds(seconds), TestTimeout);
            clock.Advance(TimeSpan.FromSeconds(seconds));
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Takeover_ByAnotherClient_IsAnsweredAfterGrowingWaits(MqttVersion version)
    {
        var clock = new TestClock();
        var (broker, client) = Create(Options with { Version = version, Backoff = Doubling }, clock);
        var waiting = Moves(client, LinkState.Waiting);
        _ = client.StartAsync(TestTimeout);
        // The other client takes the session each time at once: being up was no success, so two clients of one id do not flap.
        foreach (var seconds in (int[])[1, 2, 4, 8, 16, 32, 60, 60])
        {
            var connection = await broker.ConnectAsync(TestTimeout);
            if (version == MqttVersion.V500) await connection.SendAsync("E0018E");
            await connection.CloseAsync();
            var reason = (await waiting.ReadAsync(TestTimeout)).Reason;
            if (version == MqttVersion.V500) Assert.Contains("SessionTakenOver", reason, StringComparison.Ordinal);
            await clock.WhenTimerDueInAsync(TimeSpan.FromSeconds(seconds), TestTimeout);
            clock.Advance(TimeSpan.FromSeconds(seconds));
        }
    }

    [Fact]
    public async Task ConnectionThatLasted_BeginsTheWaitsAnew()
    {
        var clock = new TestClock();
        var (broker, client) = Create(Options with { Backoff = Doubling }, clock);
        var waiting = Moves(client, LinkState.Waiting);
        var up = Moves(client, LinkState.Up);
        _ = client.StartAsync(TestTimeout);
        foreach (var (lasted, seconds) in ((int, int)[])[(0, 1), (29, 2), (30, 1), (0, 2)])
        {
            var connection = await broker.ConnectAsync(TestTimeout);
            await up.ReadAsync(TestTimeout);
            clock.Advance(TimeSpan.FromSeconds(lasted));
            await connection.CloseAsync();
            await waiting.ReadAsync(TestTimeout);
            await clock.WhenTimerDueInAsync(TimeSpan.FromSeconds(seconds), TestTimeout);
            clock.Advance(TimeSpan.FromSeconds(seconds));
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Handshake_CutAtEveryByte_InBothDirections_IsTriedAgain(MqttVersion version)
    {
        var connect = version == MqttVersion.V311 ? 15 : 24;
        var connack = version == MqttVersion.V311 ? 4 : 5;
        for (var cut = 0; cut <= connect; cut++) await ConnectThroughAsync(version, new ByteFaults().CutAfter(cut), null);
        for (var cut = 0; cut <= connack; cut++) await ConnectThroughAsync(version, null, new ByteFaults().CutAfter(cut));
    }

    [Fact]
    public async Task Handshake_CorruptAtEveryByte_IsTriedAgainOrRefused()
    {
        for (var at = 0; at < 5; at++)
        {
            var (broker, client) = Create(MqttVersion.V500);
            broker.NextFaults = (null, new ByteFaults().CorruptAt(at));
            var starting = client.StartAsync(TestTimeout);
            var first = await broker.AcceptAsync(TestTimeout);
            await first.ReceiveAsync();
            await first.ConnAckAsync();
            await first.CloseAsync();
            await broker.ConnectAsync(TestTimeout);
            await starting;
        }
    }

    [Fact]
    public async Task Handshake_StalledAtEveryByte_EndsWithTheTimeout()
    {
        var options = Options with { Limits = Options.Limits with { ConnectTimeout = TimeSpan.FromMilliseconds(20) } };
        for (var stall = 0; stall < 5; stall++)
        {
            var (broker, client) = Create(options);
            broker.NextFaults = (null, new ByteFaults().StallAfter(stall));
            var waiting = Moves(client, LinkState.Waiting);
            _ = client.StartAsync(TestTimeout);
            var first = await broker.AcceptAsync(TestTimeout);
            await first.ReceiveAsync();
            await first.ConnAckAsync();
            Assert.Contains("no answer", (await waiting.ReadAsync(TestTimeout)).Reason, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Exchange_CutAtEveryByte_LosesAndDoublesNothing(MqttVersion version)
    {
        // PUBACK or PUBREC and PUBCOMP are cut at each byte; the repetition on the next connection must complete the message.
        for (var cut = 1; cut < 8; cut++)
        {
            var (broker, client, first) = await StartAsync(Persistent(version));
            var toClient = new ByteFaults();
            broker.NextFaults = (null, toClient);
            first.Reset();
            var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
            var publishing = client.PublishAsync(Message("t", "x", 2), TestTimeout).AsTask();
            await second.ExpectAsync("Publish q2 topic=t id=1 payload=78");
            toClient.CutAfter(toClient.Passed + cut);
            await second.AckAsync(MqttPacketType.PubRec, 1);
            var isReleased = cut >= 4 && await second.ReceiveAsync() == "PubRel id=1 Success";
            if (isReleased) await second.AckAsync(MqttPacketType.PubComp, 1);
            var third = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
            var repeated = await third.ReceiveAsync();
            if (repeated.StartsWith("Publish", StringComparison.Ordinal))
            {
                Assert.Equal("Publish q2 dup topic=t id=1 payload=78", repeated);
                Assert.False(isReleased);
                await third.AckAsync(MqttPacketType.PubRec, 1);
                repeated = await third.ReceiveAsync();
            }
            Assert.Equal("PubRel id=1 Success", repeated);
            await third.AckAsync(MqttPacketType.PubComp, 1);
            await publishing.WaitAsync(TestTimeout);
        }
    }

    private async Task ConnectThroughAsync(MqttVersion version, ByteFaults? fromClient, ByteFaults? toClient)
    {
        var (broker, client) = Create(version);
        broker.NextFaults = (fromClient, toClient);
        var waiting = Moves(client, LinkState.Waiting);
        var up = Moves(client, LinkState.Up);
        var starting = client.StartAsync(TestTimeout);
        var first = await broker.AcceptAsync(TestTimeout);
        if (await first.ReceiveAsync() != "closed" && toClient is not null) await first.ConnAckAsync();
        await waiting.ReadAsync(TestTimeout);
        await broker.ConnectAsync(TestTimeout);
        await starting;
        while (client.State != LinkState.Up) await up.ReadAsync(TestTimeout);
    }
}
