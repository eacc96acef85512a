using Mooring.Mqtt.Broker;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>What an operator sees, as figures, as topics and as clients.</summary>
public sealed class BrokerViewTests : BrokerTest
{
    protected override MqttBrokerOptions Configure(MqttBrokerOptions options) =>
        options with { SystemTopicsPeriod = TimeSpan.FromHours(1) };

    [Fact]
    public void Statistics_CountWhatWentThrough()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("t");
        client.Publish("t", "12345", qos: 1, id: 1, retain: true);
        Assert.Equal("PubAck id=1 Success", Second(client));
        var now = Broker.View.Statistics();
        Assert.Equal((1, 1, 1, 1), (now.Connections, now.Sessions, now.Subscriptions, now.RetainedMessages));
        Assert.Equal((1, 1, 5, 5), (now.MessagesReceived, now.MessagesSent, now.PayloadBytesReceived, now.PayloadBytesSent));
        Assert.Equal(3, now.PacketsReceived);
        Assert.True(now.BytesReceived > 0 && now.BytesSent > 0);
        client.SendHex("E000");
        Assert.Equal("closed", client.Receive());
        var after = Broker.View.Statistics();
        Assert.Equal((0, 0, 1, 4), (after.Connections, after.Sessions, after.MessagesSent, after.PacketsReceived));
        Assert.Equal((1, 1), (after.ConnectionsMost, after.ConnectionsAccepted));
    }

    [Fact]
    public void Clients_ArePagedAndFound()
    {
        var clients = Enumerable.Range(0, 5).Select(i => RawClient.Connect(Address, $"car-{i}", MqttVersion.V500, keepAlive: 60)).ToList();
        clients[3].Subscribe("$share/g/a/+", options: 1, identifier: 7);
        Assert.Equal(["car-1", "car-2"], Broker.View.Clients(skip: 1, take: 2).Select(client => client.ClientId));
        var view = Assert.Single(Broker.View.Clients("CAR-3"));
        Assert.Equal((true, false, 1, MqttVersion.V500), (view.IsConnected, view.IsLocal, view.Subscriptions, view.Version));
        Assert.Equal((MqttTransport.Tcp, TimeSpan.FromSeconds(60)), (view.Transport, view.KeepAlive));
        var subscription = Assert.Single(Broker.View.Subscriptions("car-3"));
        Assert.Equal(("$share/g/a/+", 7u), (subscription.Filter, subscription.Identifier));
        Assert.Null(Broker.View.Client("nobody"));
        Assert.Empty(Broker.View.Subscriptions("nobody"));
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public void Disconnect_TellsTheClient_AndKeepsItsSession()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500, expiry: 100);
        Assert.True(Broker.View.Disconnect("c"));
        Assert.Equal("Disconnect AdministrativeAction", client.Receive());
        Assert.False(Broker.View.Client("c")!.IsConnected);
        Assert.False(Broker.View.Disconnect("c"));
        Assert.False(Broker.View.Disconnect("nobody"));
    }

    [Fact]
    public void SystemTopics_ReachNewSubscribersAsRetained_AndOthersWhenTheyChange()
    {
        Broker.Tick(Broker.Now);
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("$SYS/broker/clients/+");
        var first = Enumerable.Range(0, 7).Select(_ => client.Receive()).Order(StringComparer.Ordinal).ToList();
        Assert.All(first, packet => Assert.StartsWith("Publish q0 retain topic=$SYS/broker/clients/", packet, StringComparison.Ordinal));
        Assert.Contains("Publish q0 retain topic=$SYS/broker/clients/connected payload=30", first);
        Broker.Tick(Broker.Now + 3_600_000);
        var changed = new List<string> { client.Receive(), client.Receive(), client.Receive(), client.Receive() };
        Assert.Contains("Publish q0 topic=$SYS/broker/clients/connected payload=31", changed);
        Assert.Equal(0, Broker.Retained);
    }

    [Fact]
    public void SystemTopics_AreNotPartOfEverything()
    {
        Broker.Tick(Broker.Now);
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("#");
        client.Subscribe("+/broker/version");
        Broker.Tick(Broker.Now + 3_600_000);
        client.ExpectNothing();
    }

    [Fact]
    public void ManyWillsAtOnce_AllArrive()
    {
        using var watcher = RawClient.Connect(Address, "watcher");
        watcher.Subscribe("gone/+");
        var clients = Enumerable.Range(0, 300).Select(i => RawClient.Connect(Address, $"c{i}", will: $"gone/{i}")).ToList();
        clients.ForEach(client => client.Dispose());
        var topics = Enumerable.Range(0, 300).Select(_ => watcher.Receive()).Distinct(StringComparer.Ordinal);
        Assert.Equal(300, topics.Count());
    }

    // The message itself and its acknowledgement: which comes first is the broker's choice.
    private static string Second(RawClient client)
    {
        var both = new[] { client.Receive(), client.Receive() };
        return both.Single(packet => packet.StartsWith("PubAck", StringComparison.Ordinal));
    }
}
