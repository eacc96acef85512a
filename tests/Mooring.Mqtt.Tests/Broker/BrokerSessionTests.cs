using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

public sealed class BrokerSessionTests : BrokerTest
{
    protected override MqttBrokerLimits Limits => new() { QueuedMessages = 3 };

    [Fact]
    public void Kept_session_gets_what_was_published_while_it_was_away()
    {
        var subscriber = RawClient.Connect(Address, "s", clean: false);
        subscriber.Subscribe("t", 1);
        subscriber.SendHex("E000");
        Assert.Equal("closed", subscriber.Receive());
        subscriber.Dispose();
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("t", "1", qos: 1, id: 1);
        publisher.Publish("t", "0");
        publisher.ExpectNothingBut("PubAck id=1 Success");

        using var back = RawClient.Connect(Address, "s", clean: false, expect: "ConnAck present");
        Assert.Equal("Publish q1 topic=t id=1 payload=31", back.Receive());
        back.ExpectNothing();
    }

    [Fact]
    public void Unacknowledged_messages_come_again_as_duplicates_in_their_order()
    {
        using var publisher = RawClient.Connect(Address, "p");
        var subscriber = RawClient.Connect(Address, "s", clean: false);
        subscriber.Subscribe("t", 2);
        publisher.Publish("t", "1", qos: 1, id: 1);
        publisher.Publish("t", "2", qos: 2, id: 2);
        Assert.Equal("Publish q1 topic=t id=1 payload=31", subscriber.Receive());
        Assert.Equal("Publish q2 topic=t id=2 payload=32", subscriber.Receive());

        var second = RawClient.Connect(Address, "s", clean: false, expect: "ConnAck present");
        Assert.Equal("Publish q1 dup topic=t id=1 payload=31", second.Receive());
        Assert.Equal("Publish q2 dup topic=t id=2 payload=32", second.Receive());
        second.Ack(MqttPacketType.PubRec, 2);
        Assert.Equal("PubRel id=2 Success", second.Receive());

        using var third = RawClient.Connect(Address, "s", clean: false, expect: "ConnAck present");
        Assert.Equal("Publish q1 dup topic=t id=1 payload=31", third.Receive());
        Assert.Equal("PubRel id=2 Success", third.Receive());
        third.Ack(MqttPacketType.PubComp, 2);
        third.Ack(MqttPacketType.PubAck, 1);
        third.ExpectNothing();
        subscriber.Dispose();
        second.Dispose();
    }

    [Fact]
    public void Offline_queue_drops_the_oldest_beyond_its_bound()
    {
        var subscriber = RawClient.Connect(Address, "s", clean: false);
        subscriber.Subscribe("t", 1);
        subscriber.SendHex("E000");
        Assert.Equal("closed", subscriber.Receive());
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 1; i <= 5; i++)
        {
            publisher.Publish("t", $"{i}", qos: 1, id: (ushort)i);
            Assert.Equal($"PubAck id={i} Success", publisher.Receive());
        }

        using var back = RawClient.Connect(Address, "s", clean: false, expect: "ConnAck present");
        Assert.Equal("Publish q1 topic=t id=1 payload=33", back.Receive());
        Assert.Equal("Publish q1 topic=t id=2 payload=34", back.Receive());
        Assert.Equal("Publish q1 topic=t id=3 payload=35", back.Receive());
        subscriber.Dispose();
    }

    [Fact]
    public void Session_ends_when_its_expiry_has_passed()
    {
        var first = RawClient.Connect(Address, "s", MqttVersion.V500, clean: false, expiry: 10);
        first.SendHex("E000");
        Assert.Equal("closed", first.Receive());
        Broker.Tick(Broker.Now + 5_000);
        var second = RawClient.Connect(Address, "s", MqttVersion.V500, clean: false, expiry: 10, expect: "ConnAck present");
        second.SendHex("E000");
        Assert.Equal("closed", second.Receive());
        Broker.Tick(Broker.Now + 10_000);
        Assert.Equal(0, Broker.Sessions);
        using var third = RawClient.Connect(Address, "s", MqttVersion.V500, clean: false, expiry: 10, expect: "ConnAck Success");
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public void Second_connection_with_the_same_id_takes_over_and_the_first_is_told()
    {
        using var first = RawClient.Connect(Address, "same", MqttVersion.V500);
        using var second = RawClient.Connect(Address, "same", MqttVersion.V500);
        Assert.Equal("Disconnect SessionTakenOver", first.Receive());
        Assert.Equal("closed", first.Receive());
        second.ExpectNothing();
        Assert.Equal(1, Broker.Sessions);
    }

    [Fact]
    public void Hundred_racing_connects_with_one_id_leave_one_live_connection()
    {
        var address = Address;
        var clients = new RawClient[100];
        Parallel.For(0, clients.Length, i =>
        {
            clients[i] = new RawClient(address, MqttVersion.V311);
            clients[i].SendHex("101000044D5154540402003C000474657374");
        });
        var accepted = Array.FindAll(clients, client => client.Receive() == "ConnAck Success");
        var alive = accepted.Count(StillAnswers);
        Assert.Equal(1, alive);
        Assert.Equal(1, Broker.Sessions);
        Array.ForEach(clients, client => client.Dispose());
    }

    [Fact]
    public void Will_is_published_when_the_connection_breaks_and_not_after_DISCONNECT()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("will/#");
        RawClient.Connect(Address, "dies", will: "will/dies").Dispose();
        Assert.Equal("Publish q0 topic=will/dies payload=676F6E65", watcher.Receive());
        using var leaves = RawClient.Connect(Address, "leaves", will: "will/leaves");
        leaves.SendHex("E000");
        Assert.Equal("closed", leaves.Receive());
        watcher.ExpectNothing();
    }

    [Fact]
    public void Delayed_will_waits_and_is_cancelled_when_the_session_goes_on()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("will/#");
        RawClient.Connect(Address, "d", MqttVersion.V500, clean: false, expiry: 100, will: "will/d", willDelay: 5).Dispose();
        using var back = RawClient.Connect(
            Address, "d", MqttVersion.V500, clean: false, expiry: 100, will: "will/d", willDelay: 5, expect: "ConnAck present");
        Broker.Tick(Broker.Now + 6_000);
        watcher.ExpectNothing();
    }

    [Fact]
    public void Keep_alive_of_one_and_a_half_times_without_a_packet_ends_the_connection()
    {
        using var client = new RawClient(Address, MqttVersion.V500);
        client.SendHex("101100044D5154540502000A00000474657374");
        Assert.StartsWith("ConnAck Success", client.Receive(), StringComparison.Ordinal);
        Broker.Tick(Broker.Now + 14_000);
        client.ExpectNothing();
        Broker.Tick(Broker.Now + 16_000);
        Assert.Equal("Disconnect KeepAliveTimeout", client.Receive());
        Assert.Equal("closed", client.Receive());
    }

    private static bool StillAnswers(RawClient client)
    {
        try
        {
            client.Send(MqttPackets.PingReq);
            return client.Receive() == "PingResp";
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
