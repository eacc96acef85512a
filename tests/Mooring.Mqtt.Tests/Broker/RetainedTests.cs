using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Retained messages and the options that concern them (MQTT-3.3.1.3, 3.8.3.1).</summary>
public sealed class RetainedTests : BrokerTest
{
    private const string Kept = "Publish q0 retain topic=r payload=6B657074";

    [Theory]
    [InlineData(0x00, true, true)]
    [InlineData(0x10, true, false)]
    [InlineData(0x20, false, false)]
    public void RetainHandling_DecidesAboutTheFirstSubscribeAndTheNext(int options, bool first, bool again)
    {
        Keep();
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("r", options);
        if (first) Assert.Equal(Kept, client.Receive());
        client.Subscribe("r", options);
        if (again) Assert.Equal(Kept, client.Receive());
        client.ExpectNothing();
        client.Unsubscribe("r", "UnsubAck id=1 codes=00");
        client.Subscribe("r", options);
        if (first) Assert.Equal(Kept, client.Receive());
        client.ExpectNothing();
    }

    [Fact]
    public void Version311_GetsItAtEverySubscribe()
    {
        Keep();
        using var client = RawClient.Connect(Address, "c");
        for (var i = 0; i < 3; i++)
        {
            client.Subscribe("r");
            Assert.Equal(Kept, client.Receive());
        }
    }

    [Theory]
    [InlineData(MqttVersion.V311, 0, "Publish q0 topic=r payload=78")]
    [InlineData(MqttVersion.V500, 0, "Publish q0 topic=r payload=78")]
    [InlineData(MqttVersion.V500, 8, "Publish q0 retain topic=r payload=78")]
    public void LiveCopy_HasRetainOnlyAsPublished(MqttVersion version, int options, string expected)
    {
        using var client = RawClient.Connect(Address, "c", version);
        client.Subscribe("r", options);
        client.Publish("r", "x", retain: true);
        Assert.Equal(expected, client.Receive());
        client.Publish("r", "x");
        Assert.Equal("Publish q0 topic=r payload=78", client.Receive());
    }

    [Theory]
    [InlineData(2, 1, 1)]
    [InlineData(1, 2, 1)]
    [InlineData(2, 0, 0)]
    public void QosIsTheLowerOne(int published, int granted, int expected)
    {
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("r", "x", published, id: 1, retain: true);
        Assert.StartsWith("Pub", publisher.Receive(), StringComparison.Ordinal);
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("r", granted);
        Assert.StartsWith($"Publish q{expected} retain topic=r", client.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void Expiry_RunsWhileItIsKept_AndEndsIt()
    {
        using var publisher = RawClient.Connect(Address, "p", MqttVersion.V500);
        var properties = new PropertyWriter();
        properties.WriteUInt32(PropertyId.MessageExpiryInterval, 100);
        publisher.Publish("r", "x", retain: true, properties: properties);
        publisher.Publish("r/soon", "x", retain: true, properties: Expiry(0));
        publisher.ExpectNothing();
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("r/#");
        Assert.Equal("Publish q0 retain topic=r props=0200000064 payload=78", client.Receive());
        client.ExpectNothing();
    }

    [Fact]
    public void ExpiredWhileItWaited_IsNotSent()
    {
        using var away = RawClient.Connect(Address, "away", MqttVersion.V500, clean: false, expiry: 100);
        away.Subscribe("t", 1);
        away.Leave();
        using var publisher = RawClient.Connect(Address, "p", MqttVersion.V500);
        publisher.Publish("t", "old", qos: 1, id: 1, properties: Expiry(0));
        publisher.Publish("t", "new", qos: 1, id: 2, properties: Expiry(1000));
        publisher.ExpectAcks(2);
        using var back = RawClient.Connect(Address, "away", MqttVersion.V500, clean: false, expiry: 100, expect: "ConnAck present");
        Assert.Equal("Publish q1 topic=t id=1 props=02000003E8 payload=6E6577", back.Receive());
        back.ExpectNothing();
        Assert.Equal(1, Broker.View.Statistics().Dropped["expired"]);
    }

    [Fact]
    public void NoLocal_HoldsForOnesOwnRetainedMessagesToo()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Publish("r", "own", retain: true);
        client.Subscribe("r", 0x04, expect: "SubAck id=1 codes=00");
        client.ExpectNothing();
        client.Subscribe("r");
        Assert.StartsWith("Publish q0 retain topic=r", client.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void WildcardInTheFirstLevel_DoesNotFindTheServersTopics_AndOneBehindItDoes()
    {
        Broker.Tick(Broker.Now + 3_600_000);
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("#");
        client.Subscribe("+/broker/uptime");
        client.ExpectNothing();
        client.Subscribe("$SYS/broker/upt+me", expect: "closed");
    }

    [Fact]
    public void SubscribeOnceMore_ChangesTheOptions_AndLosesNoLiveMessage()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        using var publisher = RawClient.Connect(Address, "p");
        client.Subscribe("t", 0, identifier: 7);
        publisher.Publish("t", "1", qos: 1, id: 1);
        Assert.Equal("Publish q0 topic=t props=0B07 payload=31", client.Receive());
        client.Subscribe("t", 1, identifier: 8);
        publisher.Publish("t", "2", qos: 1, id: 2);
        Assert.Equal("Publish q1 topic=t id=1 props=0B08 payload=32", client.Receive());
        client.Subscribe("t", 0);
        publisher.Publish("t", "3", qos: 1, id: 3);
        Assert.Equal("Publish q0 topic=t payload=33", client.Receive());
        Assert.Equal(1, Broker.SubscriptionCount);
    }

    [Fact]
    public async Task SetAndSubscribeAtTheSameTime_EndWithTheLastValueForEverybody()
    {
        using var publisher = RawClient.Connect(Address, "p");
        for (var round = 0; round < 50; round++)
        {
            var topic = $"race/{round}";
            using var client = RawClient.Connect(Address, "c");
            var subscribe = Task.Run(() => client.SubscribeUnheard(topic), TestTimeout);
            for (var i = 0; i < 10; i++) publisher.Publish(topic, $"{i}", retain: true);
            publisher.ExpectNothing();
            await subscribe;
            var last = "";
            client.Send(MqttPackets.PingReq);
            for (var packet = client.Receive(); packet != "PingResp"; packet = client.Receive())
            {
                if (packet.StartsWith("Publish", StringComparison.Ordinal)) last = packet;
            }
            Assert.EndsWith("payload=39", last, StringComparison.Ordinal);
        }
    }

    private static PropertyWriter Expiry(uint seconds)
    {
        var properties = new PropertyWriter();
        properties.WriteUInt32(PropertyId.MessageExpiryInterval, seconds);
        return properties;
    }

    private void Keep()
    {
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("r", "kept", retain: true);
        publisher.ExpectNothing();
    }
}
