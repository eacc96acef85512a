using System.Text;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Topics, filters and aliases, as they act on the wire (MQTT-4.7, MQTT5-3.3.2.3.4).</summary>
public sealed class TopicTests : BrokerTest
{
    private static readonly string[] Levels = ["", "a", "b", "+", "$x"];

    [Theory]
    [InlineData("a/#", "a a/ a/b/c", "ab /a")]
    [InlineData("#", "a /a a/b", "")]
    [InlineData("/#", "/ /a //", "a")]
    [InlineData("+", "a", "/a a/")]
    [InlineData("+/+", "/ /a a/ a/b", "a")]
    [InlineData("/+", "/a /", "a //")]
    [InlineData("a/+", "a/ a/b", "a a/b/c")]
    [InlineData("a/+/c", "a//c a/b/c", "a/c")]
    [InlineData("+/b/#", "a/b a/b/c /b", "b")]
    [InlineData("a/+/+/#", "a/b/c a// a/b/c/d", "a/b")]
    [InlineData("A", "A", "a")]
    [InlineData("ä/+", "ä/ö", "a/o")]
    public void FilterMatches_LiveAndRetained(string filter, string matching, string others)
    {
        using var publisher = RawClient.Connect(Address, "p");
        using var live = RawClient.Connect(Address, "l");
        live.Subscribe(filter);
        string[] topics = [.. matching.Split(' '), .. others.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        foreach (var topic in topics) publisher.Publish(topic, "x", retain: true);
        publisher.ExpectNothing();
        using var late = RawClient.Connect(Address, "r");
        late.Subscribe(filter);
        var expected = matching.Split(' ').Order(StringComparer.Ordinal).ToArray();
        foreach (var client in (RawClient[])[live, late])
        {
            var received = expected.Select(_ => client.Receive()).Select(TopicOf).Order(StringComparer.Ordinal);
            Assert.Equal(expected, received);
            client.ExpectNothing();
        }
    }

    [Fact]
    public void TableOfSubscriptions_FindsWhatTheRulesSay_ForRandomFiltersAndTopics()
    {
        var random = new Random(20261123);
        for (var round = 0; round < 300; round++)
        {
            var table = new SubscriptionTable(cachedRoutesMaximum: 10);
            var subscriptions = Enumerable.Range(0, 20).Select(_ => Make(Filter(random))).ToList();
            foreach (var subscription in subscriptions) table.Set(subscription, former: null);
            foreach (var gone in subscriptions.Where(_ => random.Next(3) == 0).ToList())
            {
                table.Remove(gone);
                subscriptions.Remove(gone);
            }
            for (var i = 0; i < 30; i++)
            {
                var topic = Encoding.UTF8.GetBytes(string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Levels[random.Next(3)])));
                if (random.Next(4) == 0) topic = [.. "$x/"u8, .. topic];
                if (topic.Length == 0) continue;
                var expected = subscriptions.Where(subscription => TopicFilter.Matches(subscription.Filter, topic)).Select(subscription => subscription.Session);
                Assert.Equal(expected.ToHashSet(), table.Find(topic).Targets.Select(target => target.Session).ToHashSet());
            }
        }
    }

    [Theory]
    [InlineData("+")]
    [InlineData("#")]
    [InlineData("a/#/b")]
    [InlineData("a+")]
    public void PublishToAWildcard_EndsTheConnection(string topic)
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Publish(topic, "x", qos: 1, id: 1);
        Assert.Equal("Disconnect TopicNameInvalid", client.Receive());
    }

    [Theory]
    [InlineData("$SYS/broker/connection/bridge/state", true)]
    [InlineData("$SYS/broker/connection/a/b/state", false)]
    [InlineData("$SYS/broker/connection/state", false)]
    [InlineData("$SYS/broker/clients/connected", false)]
    [InlineData("$CONTROL/x", false)]
    public void OfTheServersTopics_OnlyTheStateOfABridge_IsForClients(string topic, bool isAllowed)
    {
        using var client = RawClient.Connect(
            Address, "c", MqttVersion.V500, will: topic, expect: isAllowed ? "ConnAck Success" : "ConnAck NotAuthorized");
        using var publisher = RawClient.Connect(Address, "p", MqttVersion.V500);
        publisher.Publish(topic, "1", qos: 1, id: 1, retain: true);
        Assert.Equal(isAllowed ? "PubAck id=1 NoMatchingSubscribers" : "PubAck id=1 NotAuthorized", publisher.Receive());
        Assert.Equal(isAllowed ? 1 : 0, Broker.Retained);
    }

    [Fact]
    public void ByteOrderMark_IsACharacterLikeAnyOther()
    {
        using var client = RawClient.Connect(Address, "c");
        client.Subscribe("\uFEFFa");
        client.Publish("a", "x");
        client.Publish("\uFEFFa", "y");
        client.ExpectNothingBut("Publish q0 topic=EFBBBF61 payload=79");
    }

    [Theory]
    [InlineData("a\u0001b")]
    [InlineData("a\u007fb")]
    [InlineData("a\u0085b")]
    [InlineData("a\ufffeb")]
    [InlineData("a\ufdd0b")]
    public void ControlAndNonCharacters_AreNotForTopics(string text)
    {
        using var publisher = RawClient.Connect(Address, "p", MqttVersion.V500);
        publisher.Publish(text, "x", qos: 1, id: 1);
        Assert.Equal("Disconnect MalformedPacket", publisher.Receive());
        using var subscriber = RawClient.Connect(Address, "s", MqttVersion.V500);
        subscriber.Subscribe(text, expect: "Disconnect MalformedPacket");
        using var will = RawClient.Connect(Address, "w", MqttVersion.V500, will: text, expect: "ConnAck MalformedPacket");
    }

    [Fact]
    public void Alias_MayBeGivenAnotherTopic_AndIsForgottenWithTheConnection()
    {
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("#");
        using (var publisher = RawClient.Connect(Address, "p", MqttVersion.V500))
        {
            publisher.Publish("a", "1", properties: Alias(1));
            publisher.Publish("b", "2", properties: Alias(1));
            publisher.Publish("", "3", properties: Alias(1));
            publisher.Publish("", "4", qos: 1, id: 1, properties: Alias(1));
            publisher.ExpectAcks(1);
        }
        foreach (var expected in (string[])["a payload=31", "b payload=32", "b payload=33", "b payload=34"])
            Assert.Equal("Publish q0 topic=" + expected, subscriber.Receive());
        using var next = RawClient.Connect(Address, "p", MqttVersion.V500);
        next.Publish("", "5", properties: Alias(1));
        Assert.Equal("Disconnect ProtocolError", next.Receive());
    }

    [Theory]
    [InlineData(0, "Disconnect TopicAliasInvalid")]
    [InlineData(33, "Disconnect TopicAliasInvalid")]
    [InlineData(32, null)]
    public void AliasOutOfItsRange_EndsTheConnection(ushort alias, string? expected)
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Publish("t", "x", properties: Alias(alias));
        if (expected is null) client.ExpectNothing();
        else Assert.Equal(expected, client.Receive());
    }

    [Fact]
    public void AliasOfATopicThatIsNotAllowed_DoesNotHelpToPublishThere()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Publish("$SYS/x", "x", qos: 1, id: 1, properties: Alias(1));
        Assert.Equal("PubAck id=1 NotAuthorized", client.Receive());
        client.Publish("", "x", qos: 1, id: 2, properties: Alias(1));
        Assert.Equal("PubAck id=2 NotAuthorized", client.Receive());
    }

    [Fact]
    public void Unsubscribe_TellsAboutEachFilter_AndComparesThemExactly()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.Subscribe("a/+");
        client.Unsubscribe("a/b", "UnsubAck id=1 codes=11");
        client.Unsubscribe("a/+", "UnsubAck id=1 codes=00");
        client.Publish("a/b", "x");
        client.ExpectNothing();
    }

    [Fact]
    public void PropertiesForAnOlderClient_AreLeftOut()
    {
        using var old = RawClient.Connect(Address, "old");
        old.Subscribe("t");
        using var five = RawClient.Connect(Address, "five", MqttVersion.V500);
        five.Subscribe("t");
        var properties = new PropertyWriter();
        properties.WriteUserProperty("b", "1");
        properties.WriteText(PropertyId.ContentType, "c");
        properties.WriteUserProperty("a", "2");
        five.Publish("t", "x", properties: properties);
        Assert.Equal("Publish q0 topic=t payload=78", old.Receive());
        Assert.Equal($"Publish q0 topic=t props={Convert.ToHexString(properties.Written)} payload=78", five.Receive());
    }

    private static PropertyWriter Alias(ushort alias)
    {
        var properties = new PropertyWriter();
        properties.WriteUInt16(PropertyId.TopicAlias, alias);
        return properties;
    }

    private static string TopicOf(string packet)
    {
        var topic = packet.Split("topic=")[1].Split(' ')[0];
        return topic.StartsWith("C3", StringComparison.Ordinal) ? Encoding.UTF8.GetString(Convert.FromHexString(topic)) : topic;
    }

    private static byte[] Filter(Random random)
    {
        var levels = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Levels[random.Next(Levels.Length)]).ToList();
        if (random.Next(3) == 0) levels.Add("#");
        var filter = string.Join('/', levels);
        return Encoding.UTF8.GetBytes(filter.Length == 0 ? "/" : filter);
    }

    private Subscription Make(byte[] filter)
    {
        var session = new Session(Guid.NewGuid().ToString("N"), Limits, Broker.Counters);
        return new Subscription(session, filter, filter, [], 0, 0);
    }
}
