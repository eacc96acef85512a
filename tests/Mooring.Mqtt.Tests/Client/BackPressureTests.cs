using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>The bounded queue, and the end of a client.</summary>
public sealed class BackPressureTests : ClientTest
{
    private static MqttClientOptions SmallQueue { get; } = Options with { Limits = Options.Limits with { QueuedMessages = 2 } };

    [Fact]
    public async Task FullQueue_HasPublishersWait_InOrder()
    {
        var (_, client, connection) = await StartAsync(SmallQueue, connack: "210001");
        var accepted = new List<Task>();
        for (var i = 0; i < 5; i++) accepted.Add(client.EnqueueAsync(Message("t", $"{i}", 1), TestTimeout).AsTask());
        await connection.ExpectAsync("Publish q1 topic=t id=1 payload=30");
        // One is on its way, two are queued, two wait for room.
        await accepted[2];
        Assert.False(accepted[3].IsCompleted);
        Assert.False(accepted[4].IsCompleted);
        for (ushort id = 1; id < 5; id++)
        {
            await connection.AckAsync(MqttPacketType.PubAck, id);
            await connection.ExpectAsync($"Publish q1 topic=t id={id + 1} payload=3{id}");
        }
        await accepted[3];
        await accepted[4];
    }

    [Fact]
    public async Task BytesAreBoundedToo_ButOneLargeMessagePasses()
    {
        var (_, client, connection) = await StartAsync(
            Options with { Limits = Options.Limits with { QueuedBytes = 1024 } }, connack: "210001");
        await client.EnqueueAsync(Message("t", "0", 1), TestTimeout);
        await connection.ExpectAsync("Publish q1 topic=t id=1 payload=30");
        await client.EnqueueAsync(Message("t", new string('x', 5000), 1), TestTimeout);
        var waiting = client.EnqueueAsync(Message("t", "2", 1), TestTimeout);
        Assert.False(waiting.IsCompleted);
        await connection.AckAsync(MqttPacketType.PubAck, 1);
        await connection.ReceiveAsync();
        await waiting;
    }

    [Fact]
    public async Task PublisherThatWaitsForRoom_CanBeCancelled()
    {
        var (_, client, connection) = await StartAsync(SmallQueue, connack: "210001");
        for (var i = 0; i < 3; i++) await client.EnqueueAsync(Message("t", $"{i}", 1), TestTimeout);
        using var cancel = new CancellationTokenSource();
        var cancelled = client.EnqueueAsync(Message("t", "never", 1), cancel.Token);
        var other = client.EnqueueAsync(Message("t", "3", 1), TestTimeout);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await cancelled);
        for (ushort id = 1; id <= 4; id++)
        {
            await connection.ExpectAsync($"Publish q1 topic=t id={id} payload=3{id - 1}");
            await connection.AckAsync(MqttPacketType.PubAck, id);
        }
        await other;
    }

    [Fact]
    public async Task MessagesOfTheTimeOffline_AreSentInOrder()
    {
        var (broker, client) = Create(Options);
        broker.IsUnreachable = true;
        _ = client.StartAsync(TestTimeout);
        for (var i = 0; i < 3; i++) await client.EnqueueAsync(Message("t", $"{i}", i), TestTimeout);
        broker.IsUnreachable = false;
        var connection = await broker.ConnectAsync(TestTimeout);
        await connection.ExpectAsync(
            "Publish q0 topic=t payload=30", "Publish q1 topic=t id=1 payload=31", "Publish q2 topic=t id=2 payload=32");
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Stop_DrainsAndSaysGoodbye(MqttVersion version)
    {
        var (_, client, connection) = await StartAsync(version);
        await client.EnqueueAsync(Message("t", "x", 1), TestTimeout);
        var stopping = client.StopAsync(TimeLimit);
        await connection.ExpectAsync("Publish q1 topic=t id=1 payload=78");
        await connection.AckAsync(MqttPacketType.PubAck, 1);
        await connection.ExpectAsync("Disconnect Success", "closed");
        await connection.CloseAsync();
        await stopping;
        Assert.Equal(LinkState.Stopped, client.State);
    }

    [Fact]
    public async Task Stop_TellsThoseWhoseMessagesWereNotAcknowledged()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V311);
        var publishing = client.PublishAsync(Message("t", "x", 1), TestTimeout);
        await connection.ReceiveAsync();
        var stopping = client.StopAsync(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await publishing);
        await connection.ExpectAsync("Disconnect Success", "closed");
        await connection.CloseAsync();
        await stopping;
        await client.StopAsync(TimeSpan.Zero);
        await client.DisposeAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await client.PublishAsync(Message("t", "x", 1), TestTimeout));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await client.StartAsync(TestTimeout));
    }

    [Fact]
    public async Task Stop_OfAClientThatNeverConnected_EndsItsStart()
    {
        var (broker, client) = Create(Options);
        broker.IsUnreachable = true;
        var starting = client.StartAsync(TestTimeout);
        var publishing = client.PublishAsync(Message("t", "x", 0), TestTimeout);
        await client.StopAsync(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => starting);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await publishing);
    }

    [Fact]
    public async Task Stop_ByAHandler_DoesNotWaitForItself()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V311);
        var stopped = new TaskCompletionSource();
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), async (_, _) =>
        {
            await client.StopAsync(TimeSpan.Zero);
            stopped.SetResult();
        }, TestTimeout);
        await connection.ReceiveAsync();
        await connection.SubAckAsync(1, 1);
        await subscribing;
        await connection.PublishAsync("t", "x");
        await stopped.Task.WaitAsync(TestTimeout);
    }

    [Fact]
    public async Task Stop_DoesNotHangOnAHandlerThatIgnoresItsToken()
    {
        var (_, client, connection) = await StartAsync(
            Options with { Limits = Options.Limits with { CloseTimeout = TimeSpan.FromMilliseconds(50) } });
        var (entered, leave) = (new TaskCompletionSource(), new TaskCompletionSource());
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), async (_, _) =>
        {
            entered.SetResult();
            await leave.Task;
        }, TestTimeout);
        await connection.ReceiveAsync();
        await connection.SubAckAsync(1, 1);
        await subscribing;
        await connection.PublishAsync("t", "x");
        await entered.Task.WaitAsync(TestTimeout);
        await client.StopAsync(TimeSpan.Zero).WaitAsync(TestTimeout);
        await LoggedAsync(2009);
        leave.SetResult();
    }

    [Fact]
    public async Task StartThatIsCancelled_LeavesTheLinkTrying()
    {
        var (broker, client) = Create(Options);
        broker.IsUnreachable = true;
        using var cancel = new CancellationTokenSource();
        var starting = client.StartAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        broker.IsUnreachable = false;
        await broker.ConnectAsync(TestTimeout);
        await client.StartAsync(TestTimeout);
        Assert.Equal(LinkState.Up, client.State);
    }
}
