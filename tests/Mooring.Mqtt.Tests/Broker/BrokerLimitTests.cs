using Mooring.Mqtt.Broker;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Keep-alive, first packet, rate and aliases, as far as the broker sets them.</summary>
public sealed class BrokerLimitTests : BrokerTest
{
    private const string Topic = "a/long/enough/topic";

    protected override MqttBrokerLimits Limits => new() { KeepAliveMaximum = 60, FirstPacketBytes = 1000, MessagesPerSecond = 3 };

    [Theory]
    [InlineData(0, true)]
    [InlineData(61, true)]
    [InlineData(60, false)]
    public void ServerKeepAlive_IsSentWhereTheClientsOwnIsNotAllowed(ushort asked, bool isTold)
    {
        using var five = RawClient.Connect(Address, "five", MqttVersion.V500, keepAlive: asked);
        Assert.Equal(isTold, five.ConnAck.Contains("13003C", StringComparison.Ordinal));
        using var old = RawClient.Connect(
            Address, "old", MqttVersion.V311, keepAlive: asked, expect: isTold ? "ConnAck ClientIdentifierNotValid" : "ConnAck Success");
    }

    [Fact]
    public void ServerKeepAlive_IsTheOneThatIsEnforced()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        Broker.Tick(Broker.Now + 80_000);
        client.ExpectNothing();
        Broker.Tick(Broker.Now + 100_000);
        Assert.Equal("Disconnect KeepAliveTimeout", client.Receive());
    }

    [Theory]
    [InlineData("10E807")]
    [InlineData("10FFFFFF7F")]
    public void FirstPacketAboveItsBound_ClosesBeforeItIsReceived(string header)
    {
        using var client = new RawClient(Address, MqttVersion.V311);
        client.SendHex(header);
        Assert.Equal("closed", client.Receive());
    }

    [Fact]
    public void LaterPackets_MayBeLargerThanTheFirst()
    {
        using var client = RawClient.Connect(Address, "c", keepAlive: 60);
        client.Publish("t", new string('x', 5000), qos: 1, id: 1);
        Assert.Equal("PubAck id=1 Success", client.Receive());
    }

    [Fact]
    public void ClientAboveItsShare_WaitsForTheNextSecond()
    {
        using var client = RawClient.Connect(Address, "c", keepAlive: 60);
        for (ushort id = 1; id <= 7; id++) client.Publish("t", "x", qos: 1, id: id);
        for (var id = 1; id <= 7; id++)
        {
            // The broker's own tick lets the rest through as well; nobody waits for the time.
            if (id is 4 or 7) Broker.Tick(Broker.Now);
            Assert.Equal($"PubAck id={id} Success", client.Receive());
        }
    }

    [Fact]
    public void OutboundAlias_StandsForTheTopic_FromTheSecondMessageOn()
    {
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500, keepAlive: 60, topicAliasMaximum: 1);
        subscriber.Subscribe("#", options: 1);
        using var publisher = RawClient.Connect(Address, "p", keepAlive: 60);
        publisher.Publish(Topic, "1");
        publisher.Publish(Topic, "2", qos: 1, id: 1);
        publisher.Publish(Topic + "/other", "3");
        Assert.Equal($"Publish q0 topic={Topic} props=230001 payload=31", subscriber.Receive());
        Assert.Equal("Publish q1 topic= id=1 props=230001 payload=32", subscriber.Receive());
        Assert.Equal($"Publish q0 topic={Topic}/other payload=33", subscriber.Receive());
    }

    [Fact]
    public void OutboundAlias_IsForgottenWithTheConnection()
    {
        using var publisher = RawClient.Connect(Address, "p", keepAlive: 60);
        for (var i = 0; i < 2; i++)
        {
            using var subscriber = RawClient.Connect(
                Address, "s", MqttVersion.V500, clean: false, expiry: 100, keepAlive: 60, topicAliasMaximum: 1, expect: "ConnAck");
            if (i == 0) subscriber.Subscribe("#", options: 0);
            publisher.Publish(Topic, "x");
            Assert.Equal($"Publish q0 topic={Topic} props=230001 payload=78", subscriber.Receive());
        }
    }
}
