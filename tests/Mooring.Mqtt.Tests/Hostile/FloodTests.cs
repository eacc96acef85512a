using System.Buffers;
using System.Text;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Hostile;

/// <summary>Clients that ask for too much of something: the bound holds, is told where the version can tell it, and others go on.</summary>
public sealed class FloodTests : BrokerTest
{
    protected override MqttBrokerLimits Limits => new()
    {
        SubscriptionsPerSession = 100, Subscriptions = 250, FiltersPerPacket = 50, RetainedMessages = 100, RetainedBytes = 50_000,
        ConnectionsPerAddress = 20, Sessions = 30, CachedRoutes = 100, WaitingWills = 10, MaximumPacketBytes = 100_000, FirstPacketBytes = 2000,
        QueuedBytesTotal = 600_000, QueuedBytes = 200_000,
    };

    [Fact]
    public void ConnectionsAboveTheShareOfOneAddress_AreClosed_AndAPlaceThatIsLeftIsGivenAgain()
    {
        var open = Enumerable.Range(0, 20).Select(i => RawClient.Connect(Address, $"c{i}")).ToList();
        for (var i = 0; i < 100; i++)
        {
            using var more = new RawClient(Address, MqttVersion.V311);
            Assert.Equal("closed", more.Receive());
        }
        Assert.Equal(20, Broker.Connections);
        open[0].SendHex("E000");
        Assert.Equal("closed", open[0].Receive());
        open[1].ExpectNothing();
        using var next = RawClient.Connect(Address, "next");
        open.ForEach(client => client.Dispose());
    }

    [Fact]
    public void SessionsAboveTheBound_AreToldThatTheServerIsBusy()
    {
        for (var i = 0; i < 30; i++) Leave(RawClient.Connect(Address, $"c{i}", MqttVersion.V500, clean: false, expiry: 1000));
        using var refused = RawClient.Connect(Address, "more", MqttVersion.V500, expect: "ConnAck ServerBusy");
        using var old = RawClient.Connect(Address, "more", MqttVersion.V311, expect: "ConnAck ServerUnavailable");
        using var known = RawClient.Connect(Address, "c7", MqttVersion.V500, clean: false, expiry: 1000, expect: "ConnAck present");
        Assert.Equal(30, Broker.Sessions);
    }

    [Fact]
    public void SubscriptionsAboveTheBounds_AreRefusedOneByOne()
    {
        using var greedy = RawClient.Connect(Address, "greedy", MqttVersion.V500);
        for (var i = 0; i < 100; i++) greedy.Subscribe($"greedy/{i}");
        greedy.Subscribe("greedy/more", expect: "SubAck id=1 codes=97");
        greedy.Subscribe("greedy/7", 1);
        using var second = RawClient.Connect(Address, "second", MqttVersion.V311);
        for (var i = 0; i < 100; i++) second.Subscribe($"second/{i}");
        using var third = RawClient.Connect(Address, "third", MqttVersion.V311);
        for (var i = 0; i < 50; i++) third.Subscribe($"third/{i}");
        third.Subscribe("third/more", expect: "SubAck id=1 codes=80");
        Assert.Equal(250, Broker.SubscriptionCount);
        Leave(greedy);
        third.Subscribe("third/more");
        Assert.Equal(151, Broker.SubscriptionCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PacketOfTooManyFilters_EndsTheConnection(bool subscribe)
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        var output = new ArrayBufferWriter<byte>();
        var filters = Enumerable.Range(0, 51).Select(i => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"f/{i}")).ToArray();
        if (subscribe) MqttPackets.WriteSubscribe(output, MqttVersion.V500, 1, default, [.. filters.Select(filter => (filter, (byte)0))]);
        else MqttPackets.WriteUnsubscribe(output, MqttVersion.V500, 1, filters);
        client.Send(output.WrittenSpan);
        Assert.Equal("Disconnect QuotaExceeded", client.Receive());
        Assert.Equal(0, Broker.SubscriptionCount);
    }

    [Fact]
    public void RetainedMessagesAboveTheBound_AreDeliveredAndNotKept_UntilOthersAreDeleted()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("more/+");
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        for (var i = 0; i < 100; i++) client.Publish($"r/{i}", "x", retain: true);
        client.Publish("more/1", "x", retain: true);
        Assert.Equal("Publish q0 topic=more/1 payload=78", watcher.Receive());
        client.Publish("r/7", "replaced", retain: true);
        Assert.Equal(100, Kept(client));
        client.Publish("r/8", "", retain: true);
        client.Publish("more/2", "x", retain: true);
        Assert.Equal(100, Kept(client));
        client.Publish("r/9", "", retain: true);
        client.Publish("big", new string('x', 50_000), retain: true);
        Assert.Equal(99, Kept(client));
        Assert.InRange(Broker.View.Statistics().RetainedBytes, 1, Limits.RetainedBytes);
        Assert.Equal(2, Broker.View.Statistics().Dropped["not retained"]);
    }

    [Theory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V500)]
    public void TopicOfManyLevels_IsRefused_InEveryPacketThatHasOne(MqttVersion version)
    {
        var deep = new string('/', 1000);
        var isFive = version == MqttVersion.V500;
        using var client = RawClient.Connect(Address, "c", version);
        client.Subscribe(deep, expect: isFive ? "SubAck id=1 codes=8F" : "SubAck id=1 codes=80");
        client.Subscribe(deep + "#", expect: isFive ? "SubAck id=1 codes=8F" : "SubAck id=1 codes=80");
        client.Publish(deep, "x", qos: 1, id: 1, retain: true);
        Assert.Equal(isFive ? "PubAck id=1 TopicNameInvalid" : "PubAck id=1 Success", client.Receive());
        client.Publish(new string('x', 1025), "x", qos: 1, id: 2);
        Assert.Equal(isFive ? "PubAck id=2 TopicNameInvalid" : "PubAck id=2 Success", client.Receive());
        using var will = RawClient.Connect(
            Address, "d", version, will: deep, expect: isFive ? "ConnAck TopicNameInvalid" : "ConnAck");
        Assert.Equal(0, Broker.Retained);
    }

    [Fact]
    public void SlashesOnly_65400OfThem_AreHandledWithoutARecursion()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        var slashes = new string('/', 65_400);
        client.Subscribe(slashes, expect: "SubAck id=1 codes=8F");
        client.Publish(slashes, "x", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 TopicNameInvalid", client.Receive());
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteUnsubscribe(output, MqttVersion.V500, 2, [Encoding.UTF8.GetBytes(slashes)]);
        client.Send(output.WrittenSpan);
        Assert.Equal("UnsubAck id=2 codes=11", client.Receive());
    }

    [Fact]
    public void FiltersOfOnlyWildcards_CostAMatchNoMoreThanTheirNumber()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        for (var levels = 1; levels <= 100; levels++) client.Subscribe(string.Join('/', Enumerable.Repeat("+", levels)));
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 0; i < 1000; i++) publisher.Publish(string.Join('/', Enumerable.Range(i, 100)), "x");
        publisher.ExpectNothing();
        for (var i = 0; i < 1000; i++) Assert.StartsWith("Publish q0", client.Receive(), StringComparison.Ordinal);
        client.ExpectNothing();
    }

    [Fact]
    public void EndlessNewTopics_DoNotFillTheCacheOfRoutes()
    {
        var everything = Enumerable.Range(0, 15).Select(i => RawClient.Connect(Address, $"s{i}")).ToList();
        everything.ForEach(client => client.Subscribe("#"));
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 0; i < 500; i++)
        {
            publisher.Publish($"random/{i}", "x");
            publisher.ExpectNothing();
            Assert.InRange(Broker.Subscriptions.CachedRoutes, 1, 1000 / 15 + 1);
        }
        everything.ForEach(client => client.Dispose());
    }

    [Fact]
    public void HugePacket_IsRefusedAtItsHeader_AndTheLargestAllowedOneArrives()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("t");
        client.Publish("t", new string('x', 99_990));
        Assert.StartsWith("Publish q0 topic=t payload=7878", client.Receive(), StringComparison.Ordinal);
        client.Send([0x30, 0xA1, 0x8D, 0x06]);
        Assert.Equal("Disconnect PacketTooLarge", client.Receive());
        Assert.Equal("closed", client.Receive());
    }

    [Fact]
    public void ManyUserProperties_AreCarriedWithoutAQuadraticCost()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("t");
        var properties = new PropertyWriter();
        for (var i = 0; i < 15_000; i++) properties.WriteUserProperty("a", "");
        client.Publish("t", "x", properties: properties);
        Assert.EndsWith("payload=78", client.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void WillsOfManyLostClients_AreAllPublished_ThroughAQueueOfTen()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("will/+");
        var clients = Enumerable.Range(0, 19).Select(i => RawClient.Connect(Address, $"c{i}", will: $"will/{i}")).ToList();
        clients.ForEach(client => client.Dispose());
        Assert.Equal(19, Enumerable.Range(0, 19).Select(_ => watcher.Receive()).Distinct().Count());
    }

    [Fact]
    public void WillThatBringsItsOwnClientDownAgain_IsARateAndNoRecursion()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("loop");
        for (var i = 0; i < 100; i++)
        {
            using var loop = RawClient.Connect(Address, "loop", will: "loop");
            loop.Subscribe("loop");
            loop.SendHex("0000");
            Assert.Equal("Publish q0 topic=loop payload=676F6E65", watcher.Receive());
        }
        watcher.ExpectNothing();
    }

    [Fact]
    public void OneIdentifierResentForEver_CountsOnce()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        for (var i = 0; i < 10_000; i++) client.Publish("t", "x", qos: 2, id: 9);
        for (var i = 0; i < 10_000; i++) Assert.StartsWith("PubRec id=9", client.Receive(), StringComparison.Ordinal);
        for (ushort i = 1; i <= 1000; i++) client.Ack(MqttPacketType.PubRel, (ushort)(i + 100));
        for (ushort i = 1; i <= 1000; i++) Assert.Equal($"PubComp id={i + 100} PacketIdentifierNotFound", client.Receive());
        for (ushort i = 1; i <= 1000; i++) client.Ack(MqttPacketType.PubRec, i);
        for (ushort i = 1; i <= 1000; i++) Assert.Equal($"PubRel id={i} PacketIdentifierNotFound", client.Receive());
        client.ExpectNothing();
    }

    [Fact]
    public void QueuesOfAllSessionsTogether_AreBounded_AndSmallOnesKeepTheirs()
    {
        using var small = RawClient.Connect(Address, "small", MqttVersion.V500, clean: false, expiry: 1000);
        small.Subscribe("small", 1);
        Leave(small);
        for (var i = 0; i < 10; i++)
        {
            var client = RawClient.Connect(Address, $"c{i}", MqttVersion.V500, clean: false, expiry: 1000);
            client.Subscribe("big", 1);
            Leave(client);
        }
        using var publisher = RawClient.Connect(Address, "p", MqttVersion.V500);
        publisher.Publish("small", "x", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 Success", publisher.Receive());
        for (var i = 0; i < 50; i++)
        {
            publisher.Publish("big", new string('x', 10_000), qos: 1, id: 1);
            Assert.Equal("PubAck id=1 Success", publisher.Receive());
            Assert.InRange(Broker.Counters.QueuedBytes, 1, Limits.QueuedBytesTotal * 2);
        }
        Assert.Equal(1, Broker.View.Client("small")!.Waiting);
        Assert.True(Broker.View.Statistics().Dropped["queue full"] > 0);
    }

    [Fact]
    public void TakeoverStorm_OfClientsWithWills_EndsWithOneConnection()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("will");
        for (var i = 0; i < 200; i++)
        {
            using var next = RawClient.Connect(Address, "same", will: "will");
            if (i == 0) continue;
            Assert.Equal("Publish q0 topic=will payload=676F6E65", watcher.Receive());
        }
        Eventually.True(() => Broker.Connections == 1, "one connection");
    }

    private int Kept(RawClient client)
    {
        client.ExpectNothing();
        return Broker.Retained;
    }

    private static void Leave(RawClient client)
    {
        client.SendHex("E000");
        Assert.Equal("closed", client.Receive());
        client.Dispose();
    }
}
