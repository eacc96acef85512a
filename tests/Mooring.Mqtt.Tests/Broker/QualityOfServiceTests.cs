using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>States of QoS 1 and 2 on both sides, and flow control (MQTT-4.3, 4.4, 4.9).</summary>
public sealed class QualityOfServiceTests : BrokerTest
{
    [Fact]
    public void IdentifierUsedAgainAfterItsPubAck_IsANewMessage_WhateverDupSays()
    {
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("t");
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("t", "1", qos: 1, id: 5);
        publisher.SendHex("3A06000174000532");
        Assert.Equal("PubAck id=5 Success", publisher.Receive());
        Assert.Equal("PubAck id=5 Success", publisher.Receive());
        Assert.Equal("Publish q0 topic=t payload=31", subscriber.Receive());
        Assert.Equal("Publish q0 topic=t payload=32", subscriber.Receive());
    }

    [Fact]
    public void PubRecOnceMore_IsAnsweredWithPubRelOnceMore()
    {
        using var subscriber = Sent(qos: 2, out _);
        for (var i = 0; i < 3; i++)
        {
            subscriber.Ack(MqttPacketType.PubRec, 1);
            Assert.Equal("PubRel id=1 Success", subscriber.Receive());
        }
        subscriber.Ack(MqttPacketType.PubComp, 1);
        subscriber.Ack(MqttPacketType.PubComp, 1);
        subscriber.ExpectNothing();
        subscriber.Ack(MqttPacketType.PubRec, 1);
        Assert.Equal("PubRel id=1 PacketIdentifierNotFound", subscriber.Receive());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void AcknowledgementOfTheOtherQos_IsAProtocolError(int qos)
    {
        using var subscriber = Sent(qos, out _);
        subscriber.Ack(qos == 2 ? MqttPacketType.PubAck : MqttPacketType.PubRec, 1);
        Assert.Equal("Disconnect ProtocolError", subscriber.Receive());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void PubCompOfWhatWasNotReleased_IsAProtocolError(int qos)
    {
        using var subscriber = Sent(qos, out _);
        subscriber.Ack(MqttPacketType.PubComp, 1);
        Assert.Equal("Disconnect ProtocolError", subscriber.Receive());
    }

    [Fact]
    public void AcknowledgementsOfNothing_AreIgnored()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Ack(MqttPacketType.PubAck, 99);
        client.Ack(MqttPacketType.PubComp, 99);
        client.ExpectNothing();
    }

    [Theory]
    [InlineData(1, "4003000187")]
    [InlineData(2, "5003000187")]
    public void AcknowledgementWithAFailure_CompletesTheDelivery(int qos, string refusal)
    {
        using var subscriber = Sent(qos, out var publisher);
        subscriber.SendHex(refusal);
        subscriber.ExpectNothing();
        publisher.Publish("t", "2", qos: 1, id: 2);
        Assert.StartsWith("Publish q1 topic=t id=2", subscriber.Receive(), StringComparison.Ordinal);
        Assert.Equal(0, Broker.View.Client("s")!.Waiting);
        publisher.Dispose();
    }

    [Fact]
    public void Retransmission_StaysWithinASmallerWindow_AndKeepsTheOrder()
    {
        using var publisher = RawClient.Connect(Address, "p");
        var first = RawClient.Connect(Address, "s", MqttVersion.V500, clean: false, expiry: 100, receiveMaximum: 10);
        first.Subscribe("t", 2);
        for (var i = 1; i <= 6; i++)
        {
            publisher.Publish("t", $"{i}", qos: i % 2 + 1, id: (ushort)i);
            Assert.StartsWith("Publish", first.Receive(), StringComparison.Ordinal);
        }
        first.Ack(MqttPacketType.PubRec, 3);
        Assert.Equal("PubRel id=3 Success", first.Receive());
        using var second = RawClient.Connect(
            Address, "s", MqttVersion.V500, clean: false, expiry: 100, receiveMaximum: 1, expect: "ConnAck present");
        publisher.Publish("t", "7", qos: 1, id: 7);
        Expect(second, "Publish q2 dup topic=t id=1 payload=31");
        second.Ack(MqttPacketType.PubRec, 1);
        Expect(second, "PubRel id=1 Success");
        second.Ack(MqttPacketType.PubComp, 1);
        Expect(second, "Publish q1 dup topic=t id=2 payload=32");
        second.Ack(MqttPacketType.PubAck, 2);
        Expect(second, "PubRel id=3 Success");
        second.Ack(MqttPacketType.PubComp, 3);
        Expect(second, "Publish q1 dup topic=t id=4 payload=34");
        second.Ack(MqttPacketType.PubAck, 4);
        Expect(second, "Publish q2 dup topic=t id=5 payload=35");
        second.SendHex("5003000580");
        Expect(second, "Publish q1 dup topic=t id=6 payload=36");
        second.Ack(MqttPacketType.PubAck, 6);
        Expect(second, "Publish q1 topic=t id=7 payload=37");
        first.Dispose();
    }

    [Fact]
    public void RetransmissionLargerThanTheClientTakesNow_CountsAsDelivered()
    {
        using var publisher = RawClient.Connect(Address, "p");
        var first = RawClient.Connect(Address, "s", MqttVersion.V500, clean: false, expiry: 100);
        first.Subscribe("t", 1);
        publisher.Publish("t", new string('x', 200), qos: 1, id: 1);
        Assert.StartsWith("Publish", first.Receive(), StringComparison.Ordinal);
        using var second = RawClient.Connect(
            Address, "s", MqttVersion.V500, clean: false, expiry: 100, maximumPacketSize: 100, expect: "ConnAck present");
        second.ExpectNothing();
        Assert.Equal(1, Broker.View.Statistics().Dropped["larger than the client takes"]);
        first.Dispose();
    }

    [Fact]
    public void LargestPacketThatTheClientTakes_IsSent_AndOneByteMoreIsNot()
    {
        using var publisher = RawClient.Connect(Address, "p");
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500, maximumPacketSize: 100);
        subscriber.Subscribe("t", 1, identifier: 300);
        // 2 of the header, 3 of the topic, 2 of the identifier, 1 + 3 of the properties.
        publisher.Publish("t", new string('x', 100 - 11), qos: 1, id: 1);
        Assert.StartsWith("Publish q1 topic=t id=1", subscriber.Receive(), StringComparison.Ordinal);
        publisher.Publish("t", new string('x', 101 - 11), qos: 1, id: 2);
        publisher.ExpectAcks(2);
        subscriber.ExpectNothing();
    }

    [Fact]
    public void MessageNeverAcknowledged_DoesNotStandInTheWayOf65536Others()
    {
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500, receiveMaximum: 10);
        subscriber.Subscribe("t", 1);
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("t", "0", qos: 1, id: 1);
        Assert.StartsWith("Publish q1 topic=t id=1 ", subscriber.Receive(), StringComparison.Ordinal);
        var seen = 1;
        for (var i = 1; i <= 65_600; i++)
        {
            publisher.Publish("t", "x", qos: 1, id: 1);
            var id = ushort.Parse(subscriber.Receive().Split(' ')[3].AsSpan(3), System.Globalization.CultureInfo.InvariantCulture);
            Assert.NotEqual(1, id);
            Assert.NotEqual(0, id);
            subscriber.Ack(MqttPacketType.PubAck, id);
            seen++;
        }
        Assert.Equal(65_601, seen);
        subscriber.ExpectNothing();
    }

    [Fact]
    public void CleanStart_ForgetsTheQos2IdentifiersThatWereReceived()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("t");
        for (var i = 0; i < 2; i++)
        {
            using var publisher = RawClient.Connect(Address, "p", MqttVersion.V500, clean: i == 0, expiry: 100, expect: "ConnAck");
            publisher.Publish("t", "same", qos: 2, id: 1);
            Assert.StartsWith("PubRec id=1", publisher.Receive(), StringComparison.Ordinal);
        }
        Assert.Equal("Publish q0 topic=t payload=73616D65", watcher.Receive());
        watcher.ExpectNothing();
        using var clean = RawClient.Connect(Address, "p", MqttVersion.V500, clean: true, expiry: 100);
        clean.Publish("t", "same", qos: 2, id: 1);
        Assert.StartsWith("PubRec id=1", clean.Receive(), StringComparison.Ordinal);
        Assert.Equal("Publish q0 topic=t payload=73616D65", watcher.Receive());
    }

    [Fact]
    public void MessagesOfOnePublisher_KeepTheirOrder_ThroughAWindowOfOne()
    {
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500, receiveMaximum: 1);
        subscriber.Subscribe("t", 2);
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 10; i < 60; i++) publisher.Publish("t", $"{i}", qos: 1, id: (ushort)i);
        for (var i = 10; i < 60; i++)
        {
            var packet = subscriber.Receive();
            Assert.EndsWith($"payload=3{i / 10}3{i % 10}", packet, StringComparison.Ordinal);
            subscriber.Ack(MqttPacketType.PubAck, (ushort)(i - 9));
        }
    }

    private static void Expect(RawClient client, string packet) => client.ExpectNothingBut(packet);

    /// <summary>A subscriber of 5.0 that was just sent one message, which has the identifier 1.</summary>
    private RawClient Sent(int qos, out RawClient publisher)
    {
        var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500);
        subscriber.Subscribe("t", qos);
        publisher = RawClient.Connect(Address, "p");
        publisher.Publish("t", "1", qos, id: 1);
        Assert.StartsWith($"Publish q{qos} topic=t id=1", subscriber.Receive(), StringComparison.Ordinal);
        return subscriber;
    }
}
