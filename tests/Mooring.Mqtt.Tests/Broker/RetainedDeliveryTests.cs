using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Mooring.Mqtt.Broker;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>More retained messages than a step looks at, and than a subscriber's bounds hold.</summary>
public sealed class RetainedDeliveryTests : BrokerTest
{
    private const int Messages = 5000;
    private const int Bound = 100;

    protected override MqttBrokerLimits Limits => new() { QueuedMessages = Bound, LocalQueuedMessages = Bound, InboundReceiveMaximum = 20 };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task WildcardThatMatchesFarMoreThanTheQueueHolds_GetsEveryOneOnce(int qos)
    {
        await KeepAsync(Messages);
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("r/#", options: qos);
        Assert.Equal(Messages, ReceiveAll(client, qos, Messages).Count);
        client.ExpectNothing();
    }

    [Fact]
    public async Task ClientThatAcknowledgesNothing_KeepsNobodyWaiting_AndGetsTheRestLater()
    {
        await KeepAsync(Messages);
        using var slow = RawClient.Connect(Address, "slow");
        slow.Subscribe("r/#", options: 1);
        using var other = RawClient.Connect(Address, "other");
        other.Subscribe("r/#");
        Assert.Equal(Messages, ReceiveAll(other, 0, Messages).Count);
        Assert.Equal(Messages, ReceiveAll(slow, 1, Messages).Count);
    }

    [Fact]
    public async Task KeptSession_GetsTheRestAfterItsReturn()
    {
        await KeepAsync(Messages);
        var topics = new HashSet<string>();
        using (var before = RawClient.Connect(Address, "back", clean: false))
        {
            before.Subscribe("r/#", options: 1);
            topics.UnionWith(ReceiveAll(before, 1, Messages / 2));
        }

        using var after = RawClient.Connect(Address, "back", clean: false, expect: "ConnAck present Success");
        while (topics.Count < Messages)
        {
            topics.UnionWith(ReceiveAll(after, 1, 1));
        }
    }

    [Fact]
    public async Task Unsubscribed_NoMoreComes()
    {
        await KeepAsync(Messages);
        using var client = RawClient.Connect(Address, "u");
        client.Subscribe("r/#", options: 1);
        ReceiveAll(client, 1, 10);
        client.SendHex("A207000200" + "03" + Convert.ToHexString("r/#"u8));
        var came = 10;
        for (var packet = client.Receive(); !packet.StartsWith("UnsubAck", StringComparison.Ordinal); packet = client.Receive()) came++;
        // What the session had taken by then still comes; the store's rest does not.
        Assert.InRange(came + Drain(client), 10, Messages / 2);
    }

    [Fact]
    public async Task InProcessWildcard_GetsEveryOne_InBoundedMemory()
    {
        await KeepAsync(Messages);
        await using var client = Broker.CreateClient("local");
        await client.StartAsync(TestTimeout);
        var received = Channel.CreateBounded<string>(10);
        await client.SubscribeAsync(
            new MqttSubscription("r/#"), (message, token) => received.Writer.WriteAsync(message.Topic, token), TestTimeout);
        var topics = new HashSet<string>();
        while (topics.Count < Messages) Assert.True(topics.Add(await received.Reader.ReadAsync(TestTimeout)));
    }

    private static int Drain(RawClient client)
    {
        var count = 0;
        client.Send([0xC0, 0]);
        for (var packet = client.Receive(); packet != "PingResp"; packet = client.Receive())
        {
            count++;
            Acknowledge(client, packet);
        }

        return count;
    }

    private static HashSet<string> ReceiveAll(RawClient client, int qos, int count)
    {
        var topics = new HashSet<string>();
        for (var i = 0; i < count; i++)
        {
            var packet = client.Receive();
            Assert.StartsWith("Publish", packet, StringComparison.Ordinal);
            topics.Add(packet.Split("topic=")[1].Split(' ')[0]);
            if (qos > 0) Acknowledge(client, packet);
        }

        return topics;
    }

    private static void Acknowledge(RawClient client, string publish) => client.Ack(
        Mooring.Mqtt.Codec.MqttPacketType.PubAck,
        ushort.Parse(publish.Split("id=")[1].Split(' ')[0], CultureInfo.InvariantCulture));

    private async Task KeepAsync(int count)
    {
        await using var publisher = Broker.CreateClient("keeper");
        await publisher.StartAsync(TestTimeout);
        for (var i = 0; i < count; i++)
        {
            await publisher.PublishAsync(
                new MqttMessage
                {
                    Topic = $"r/{i}", Payload = Encoding.UTF8.GetBytes("kept"), Retain = true, QualityOfService = QualityOfService.AtLeastOnce,
                },
                TestTimeout);
        }
    }
}
