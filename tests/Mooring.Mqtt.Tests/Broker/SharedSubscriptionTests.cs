using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Shares: one member a message, beside and apart from ordinary subscriptions (MQTT5-4.8.2).</summary>
public sealed class SharedSubscriptionTests : BrokerTest
{
    [Fact]
    public void ShareAndOrdinarySubscriptionOfOneClient_CountEachForItself()
    {
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("t");
        client.Subscribe("$share/g/t");
        Publish("t", "1");
        Assert.Equal("Publish q0 topic=t payload=31", client.Receive());
        Assert.Equal("Publish q0 topic=t payload=31", client.Receive());
        client.Unsubscribe("t", "UnsubAck id=1 codes=");
        Publish("t", "2");
        client.ExpectNothingBut("Publish q0 topic=t payload=32");
        client.Subscribe("t");
        client.Unsubscribe("$share/g/t", "UnsubAck id=1 codes=");
        Publish("t", "3");
        client.ExpectNothingBut("Publish q0 topic=t payload=33");
    }

    [Fact]
    public void Unsubscribe_NeedsTheWholeName()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("$share/g/t");
        client.Unsubscribe("t", "UnsubAck id=1 codes=11");
        client.Unsubscribe("$share/other/t", "UnsubAck id=1 codes=11");
        client.Unsubscribe("$share/g/t", "UnsubAck id=1 codes=00");
        client.Unsubscribe("$share/g/t", "UnsubAck id=1 codes=11");
    }

    [Fact]
    public void TwoShares_GetEachMessageOnceEach()
    {
        using var one = RawClient.Connect(Address, "one");
        using var two = RawClient.Connect(Address, "two");
        one.Subscribe("$share/g/a/+");
        two.Subscribe("$share/h/a/+");
        Publish("a/b", "1");
        one.ExpectNothingBut("Publish q0 topic=a/b payload=31");
        two.ExpectNothingBut("Publish q0 topic=a/b payload=31");
    }

    [Fact]
    public void RetainedMessages_AreNotForShares()
    {
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("t", "kept", retain: true);
        publisher.ExpectNothing();
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("$share/g/t");
        client.Subscribe("$share/g/#");
        client.ExpectNothing();
    }

    [Fact]
    public void WildcardOfAShare_DoesNotSeeTheServersTopics()
    {
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("$share/g/#");
        client.Subscribe("$share/g/+/broker/version");
        Broker.Tick(Broker.Now + 3_600_000);
        client.ExpectNothing();
    }

    [Fact]
    public void QosIsThatOfTheChosenMember()
    {
        using var one = RawClient.Connect(Address, "one");
        one.Subscribe("$share/g/t", 0);
        using var two = RawClient.Connect(Address, "two");
        two.Subscribe("$share/g/t", 2);
        Publish("t", "1", qos: 1);
        Publish("t", "2", qos: 1);
        Assert.StartsWith("Publish q0 topic=t", one.Receive(), StringComparison.Ordinal);
        Assert.StartsWith("Publish q1 topic=t id=1", two.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void MemberThatIsAway_GetsNothing_WhileAnotherIsThere()
    {
        RawClient.Connect(Address, "away", MqttVersion.V500, clean: false, expiry: 100).SubscribeAndLeave("$share/g/t", 1);
        using var here = RawClient.Connect(Address, "here");
        here.Subscribe("$share/g/t", 1);
        for (var i = 1; i <= 4; i++)
        {
            Publish("t", $"{i}", qos: 1);
            Assert.Equal($"Publish q1 topic=t id={i} payload=3{i}", here.Receive());
            here.Ack(MqttPacketType.PubAck, (ushort)i);
        }
        Assert.Equal(0, Broker.View.Client("away")!.Waiting);
    }

    [Fact]
    public void OnlyMembersThatAreAway_KeepTheMessageForTheirReturn()
    {
        RawClient.Connect(Address, "away", MqttVersion.V500, clean: false, expiry: 100).SubscribeAndLeave("$share/g/t", 1);
        Publish("t", "1", qos: 1);
        using var back = RawClient.Connect(Address, "away", MqttVersion.V500, clean: false, expiry: 100, expect: "ConnAck present");
        Assert.Equal("Publish q1 topic=t id=1 payload=31", back.Receive());
    }

    [Fact]
    public void MessagesOfAMemberWhoseSessionEnds_GoToAnother_ButForThoseThatWereItsOwn()
    {
        using (var leaving = RawClient.Connect(Address, "leaving", MqttVersion.V500, receiveMaximum: 2))
        {
            leaving.Subscribe("$share/g/t/#", 2);
            leaving.Subscribe("t/own", 1);
            Publish("t/1", "1", qos: 1);
            Publish("t/2", "2", qos: 2);
            Publish("t/3", "3", qos: 1);
            Publish("t/own", "4", qos: 1);
            Assert.StartsWith("Publish q1 topic=t/1", leaving.Receive(), StringComparison.Ordinal);
            Assert.StartsWith("Publish q2 topic=t/2", leaving.Receive(), StringComparison.Ordinal);
            leaving.ExpectNothing();
            using var other = RawClient.Connect(Address, "other");
            other.Subscribe("$share/g/t/#", 2);
            leaving.Leave();
            Assert.Equal("Publish q1 topic=t/1 id=1 payload=31", other.Receive());
            Assert.Equal("Publish q1 topic=t/3 id=2 payload=33", other.Receive());
            other.ExpectNothing();
        }
    }

    [Theory]
    [InlineData("$share/g")]
    [InlineData("$share//f")]
    [InlineData("$share/+/f")]
    [InlineData("$share/g/")]
    [InlineData("$share")]
    public void NameThatIsNoShare_IsRefused(string filter)
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        Assert.Contains("Disconnect MalformedPacket", Assert.ThrowsAny<Exception>(() => client.Subscribe(filter)).Message, StringComparison.Ordinal);
    }

    private void Publish(string topic, string payload, int qos = 0)
    {
        using var publisher = RawClient.Connect(Address, "publisher");
        publisher.Publish(topic, payload, qos, id: (ushort)qos);
        if (qos == 1) publisher.ExpectAcks(1);
        if (qos == 2) Assert.StartsWith("PubRec", publisher.Receive(), StringComparison.Ordinal);
        publisher.ExpectNothing();
    }
}
