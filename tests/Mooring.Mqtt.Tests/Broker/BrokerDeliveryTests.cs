using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

public sealed class BrokerDeliveryTests : BrokerTest
{
    [Theory]
    [InlineData(0, 0, "Publish q0 topic=a/b payload=6869")]
    [InlineData(1, 1, "Publish q1 topic=a/b id=1 payload=6869")]
    [InlineData(2, 2, "Publish q2 topic=a/b id=1 payload=6869")]
    [InlineData(2, 1, "Publish q1 topic=a/b id=1 payload=6869")]
    [InlineData(1, 2, "Publish q1 topic=a/b id=1 payload=6869")]
    [InlineData(2, 0, "Publish q0 topic=a/b payload=6869")]
    public void Delivered_qos_is_the_lower_of_published_and_granted(int published, int granted, string expected)
    {
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("a/+", granted);
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("a/b", "hi", published, id: (ushort)(published > 0 ? 9 : 0));
        Assert.Equal(expected, subscriber.Receive());
    }

    [Fact]
    public void QoS_2_is_routed_once_however_often_it_is_sent()
    {
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("t");
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 0; i < 3; i++)
        {
            publisher.Publish("t", "once", qos: 2, id: 7);
            Assert.Equal("PubRec id=7 Success", publisher.Receive());
        }

        publisher.Ack(MqttPacketType.PubRel, 7);
        Assert.Equal("PubComp id=7 Success", publisher.Receive());
        Assert.Equal("Publish q0 topic=t payload=6F6E6365", subscriber.Receive());
        subscriber.ExpectNothing();
    }

    [Fact]
    public void PUBREL_of_an_unknown_id_is_answered()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Ack(MqttPacketType.PubRel, 77);
        Assert.Equal("PubComp id=77 PacketIdentifierNotFound", client.Receive());
    }

    [Fact]
    public void Publish_without_subscribers_says_so_in_version_5()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Publish("nobody", "x", qos: 1, id: 3);
        Assert.Equal("PubAck id=3 NoMatchingSubscribers", client.Receive());
    }

    [Fact]
    public void Overlapping_subscriptions_give_one_copy_with_all_identifiers_at_the_highest_qos()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("a/#", options: 0, identifier: 5);
        client.Subscribe("a/b", options: 1, identifier: 6);
        client.Publish("a/b", "x", qos: 1, id: 1);
        var first = client.Receive();
        var second = client.Receive();
        var publish = first.StartsWith("Publish", StringComparison.Ordinal) ? first : second;
        Assert.StartsWith("Publish q1 topic=a/b id=1 props=", publish, StringComparison.Ordinal);
        Assert.Contains("0B05", publish, StringComparison.Ordinal);
        Assert.Contains("0B06", publish, StringComparison.Ordinal);
        client.ExpectNothing();
    }

    [Fact]
    public void No_local_keeps_own_messages_away_and_lets_others_through()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("t", options: 0x04, expect: "SubAck id=1 codes=00");
        client.Publish("t", "mine");
        client.ExpectNothing();
        using var other = RawClient.Connect(Address, "o");
        other.Publish("t", "theirs");
        Assert.Equal("Publish q0 topic=t payload=746865697273", client.Receive());
    }

    [Fact]
    public void Window_holds_messages_back_until_acknowledged_and_keeps_their_order()
    {
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500, receiveMaximum: 1);
        subscriber.Subscribe("t", 1);
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 1; i <= 3; i++)
        {
            publisher.Publish("t", $"{i}", qos: 1, id: (ushort)i);
            Assert.Equal($"PubAck id={i} Success", publisher.Receive());
        }

        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal($"Publish q1 topic=t id={i} payload=3{i}", subscriber.Receive());
            subscriber.ExpectNothing();
            subscriber.Ack(MqttPacketType.PubAck, (ushort)i);
        }
    }

    [Fact]
    public void Message_larger_than_the_client_takes_is_dropped_and_the_next_one_arrives()
    {
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500, maximumPacketSize: 100);
        subscriber.Subscribe("t", 1);
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("t", new string('x', 200), qos: 1, id: 1);
        publisher.Publish("t", "small", qos: 1, id: 2);
        Assert.StartsWith("Publish q1 topic=t id=1 payload=736D616C6C", subscriber.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void Shared_subscription_gives_each_message_to_one_member()
    {
        using var one = RawClient.Connect(Address, "one");
        using var two = RawClient.Connect(Address, "two");
        one.Subscribe("$share/g/t");
        two.Subscribe("$share/g/t");
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 0; i < 4; i++)
        {
            publisher.Publish("t", $"{i}");
        }

        publisher.ExpectNothing();
        string[] received = [one.Receive(), one.Receive(), two.Receive(), two.Receive()];
        Assert.Equal(4, received.Distinct().Count());
        one.ExpectNothing();
        two.ExpectNothing();
    }

    [Fact]
    public void Topic_alias_stands_for_the_topic_that_set_it()
    {
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("long/topic");
        using var publisher = RawClient.Connect(Address, "p", MqttVersion.V500);
        var alias = new PropertyWriter();
        alias.WriteUInt16(PropertyId.TopicAlias, 2);
        publisher.Publish("long/topic", "1", properties: alias);
        publisher.Publish("", "2", properties: alias);
        Assert.Equal("Publish q0 topic=long/topic payload=31", subscriber.Receive());
        Assert.Equal("Publish q0 topic=long/topic payload=32", subscriber.Receive());
        alias.Clear();
        alias.WriteUInt16(PropertyId.TopicAlias, 33);
        publisher.Publish("t", "3", properties: alias);
        Assert.Equal("Disconnect TopicAliasInvalid", publisher.Receive());
    }

    [Fact]
    public void Server_owned_topics_are_not_for_clients()
    {
        using var listener = RawClient.Connect(Address, "l");
        listener.Subscribe("$SYS/#");
        using var modern = RawClient.Connect(Address, "m", MqttVersion.V500);
        modern.Publish("$SYS/x", "1", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 NotAuthorized", modern.Receive());
        using var old = RawClient.Connect(Address, "o");
        old.Publish("$SYS/x", "1", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 Success", old.Receive());
        listener.ExpectNothing();
    }

    [Fact]
    public void Retained_message_waits_for_later_subscribers_and_an_empty_one_deletes_it()
    {
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("r/1", "kept", retain: true);
        publisher.ExpectNothing();
        using var exact = RawClient.Connect(Address, "e");
        exact.Subscribe("r/1");
        Assert.Equal("Publish q0 retain topic=r/1 payload=6B657074", exact.Receive());
        using var wildcard = RawClient.Connect(Address, "w");
        wildcard.Subscribe("r/#");
        Assert.Equal("Publish q0 retain topic=r/1 payload=6B657074", wildcard.Receive());
        publisher.Publish("r/1", "", retain: true);
        Assert.Equal("Publish q0 topic=r/1 payload=", exact.Receive());
        using var late = RawClient.Connect(Address, "n");
        late.Subscribe("r/#");
        late.ExpectNothing();
        Assert.Equal(0, Broker.Retained);
    }
}
