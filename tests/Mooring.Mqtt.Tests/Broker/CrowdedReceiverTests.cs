using System.Buffers;
using System.Globalization;
using System.Text;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Bursts of QoS 1 and 2 that are larger than the queue of their receiver: what was acknowledged to the publisher is not dropped.</summary>
public class CrowdedReceiverTests : BrokerTest
{
    private const int Queue = 100;
    private const int Window = 64;

    protected override MqttBrokerLimits Limits => new()
    {
        OutboundBufferBytes = 4096, QueuedMessages = Queue, OutboundWindow = Window, LocalQueuedMessages = Queue, PublisherHold = TimeSpan.FromSeconds(60),
    };

    [Fact]
    public void BurstToAClientWithAnOpenWindow_WaitsForTheSocketOnly()
    {
        const int count = 1000;
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500, receiveMaximum: count);
        subscriber.Subscribe("t", options: 1);
        using var publisher = RawClient.Connect(Address, "p");

        publisher.Send(Burst(count, qos: 1));

        for (var i = 1; i <= count; i++) ExpectMessage(i, subscriber.Receive());
        Assert.Equal(0, Dropped);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void BurstToAClientThatAcknowledges_LosesNothing(int qos)
    {
        // A client may have 256 QoS 2 messages without PUBREL.
        var count = qos == 1 ? 3000 : 250;
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("t", qos);
        using var publisher = RawClient.Connect(Address, "p");

        publisher.Send(Burst(count, qos));

        for (var i = 1; i <= count; i++)
        {
            ExpectMessage(i, ReceivePublish(subscriber, out var id));
            subscriber.Ack(qos == 1 ? MqttPacketType.PubAck : MqttPacketType.PubRec, id);
            if (qos == 2) subscriber.Ack(MqttPacketType.PubComp, id);
        }

        Assert.Equal(0, Dropped);
    }

    [Fact]
    public async Task BurstToAClientOfTheProcess_WaitsForItsHandler()
    {
        const int count = 1000;
        using var mayGoOn = new SemaphoreSlim(0);
        var got = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var receiver = Broker.CreateClient("handler");
        await receiver.StartAsync(TestTimeout);
        await using var subscription = await receiver.SubscribeAsync(
            new MqttSubscription("t", QualityOfService.AtLeastOnce),
            async (_, cancellationToken) =>
            {
                if (Interlocked.Increment(ref got) == 1) await mayGoOn.WaitAsync(cancellationToken);
                if (got == count) all.TrySetResult();
            },
            TestTimeout);
        using var publisher = RawClient.Connect(Address, "p");

        publisher.Send(Burst(count, qos: 1));
        // Three quarters of the queue have been acknowledged when the publisher is not read any more.
        publisher.ExpectAcks(Queue / 4 * 3);
        mayGoOn.Release();

        await all.Task.WaitAsync(TestTimeout);
        Assert.Equal(0, Dropped);
    }

    [Fact]
    public void ReceiverThatLeaves_LetsItsPublishersGoOn()
    {
        using var publisher = RawClient.Connect(Address, "p");
        using (var stalled = RawClient.Connect(Address, "s"))
        {
            stalled.Subscribe("t", options: 1);
            publisher.Send(Burst(300, qos: 1));
            publisher.ExpectAcks(Window + (Queue / 4 * 3));
        }

        publisher.ExpectAcks(300 - Window - (Queue / 4 * 3));
        publisher.ExpectNothing();
    }

    [Fact]
    public void PublisherThatIsHeld_HoldsUpNobodyElse()
    {
        using var stalled = RawClient.Connect(Address, "s");
        stalled.Subscribe("t", options: 1);
        using var held = RawClient.Connect(Address, "p");
        held.Send(Burst(300, qos: 1));
        held.ExpectAcks(Window + (Queue / 4 * 3));

        using var other = RawClient.Connect(Address, "o");
        other.Subscribe("own");
        other.Publish("own", "x");

        Assert.StartsWith("Publish q0 topic=own", other.Receive(), StringComparison.Ordinal);
    }

    internal static ReadOnlySpan<byte> Burst(int count, int qos)
    {
        var burst = new ArrayBufferWriter<byte>();
        for (var i = 1; i <= count; i++)
        {
            MqttPackets.WritePublish(burst, MqttVersion.V311, (byte)(qos << 1), "t"u8, (ushort)i, default, Payload(i));
        }

        return burst.WrittenSpan;
    }

    private long Dropped => Broker.Counters.DroppedByReason().Values.Sum();

    private static void ExpectMessage(int number, string packet) =>
        Assert.EndsWith("payload=" + Convert.ToHexString(Payload(number)), packet, StringComparison.Ordinal);

    /// <summary>The next PUBLISH; PUBRELs before it belong to messages that the caller is through with.</summary>
    private static string ReceivePublish(RawClient client, out ushort id)
    {
        var packet = client.Receive();
        while (packet.StartsWith("PubRel", StringComparison.Ordinal)) packet = client.Receive();
        id = ushort.Parse(packet.Split("id=")[1].Split(' ')[0], CultureInfo.InvariantCulture);
        return packet;
    }

    private static byte[] Payload(int number) => Encoding.ASCII.GetBytes(number.ToString("D100", CultureInfo.InvariantCulture));
}

/// <summary>The same through Kestrel, which serves TLS and WebSocket.</summary>
public sealed class CrowdedReceiverOnKestrelTests : CrowdedReceiverTests
{
    protected override bool IsOnKestrel => true;
}

/// <summary>A receiver that does not work off its queue has its publishers wait for a moment only; then it loses its own messages.</summary>
public sealed class StalledReceiverTests : BrokerTest
{
    protected override MqttBrokerLimits Limits => new() { QueuedMessages = 100 };

    [Fact]
    public void BurstToAClientThatNeverAcknowledges_IsDroppedForItAlone()
    {
        using var stalled = RawClient.Connect(Address, "stalled");
        stalled.Subscribe("t", options: 1);
        using var publisher = RawClient.Connect(Address, "publisher");

        publisher.Send(CrowdedReceiverTests.Burst(3000, qos: 1));

        publisher.ExpectAcks(3000);
        Assert.True(Broker.Counters.DroppedByReason().Values.Sum() > 0);
    }
}
