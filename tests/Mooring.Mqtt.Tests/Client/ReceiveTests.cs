using System.Threading.Channels;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>Messages from the broker.</summary>
public sealed class ReceiveTests : ClientTest
{
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Qos1_IsAcknowledgedWhenTheHandlerIsDone(MqttVersion version)
    {
        var (_, client, connection) = await StartAsync(version);
        var (entered, leave) = (new TaskCompletionSource(), new TaskCompletionSource());
        await SubscribeAsync(client, connection, async (_, _) =>
        {
            entered.TrySetResult();
            await leave.Task;
        });
        await connection.PublishAsync("t", "x", qos: 1, id: 7);
        await entered.Task.WaitAsync(TestTimeout);
        await connection.ExpectNothingAsync();
        leave.SetResult();
        await connection.ExpectAsync("PubAck id=7 Success");
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Qos1_SameIdentifierAgain_IsANewMessage(MqttVersion version)
    {
        var (_, client, connection) = await StartAsync(version);
        var texts = await SubscribeAsync(client, connection, "t");
        foreach (var text in (string[])["a", "b"])
        {
            await connection.PublishAsync("t", text, qos: 1, id: 7);
            Assert.Equal($"t:{text}", await texts.ReadAsync(TestTimeout));
            await connection.ExpectAsync("PubAck id=7 Success");
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Qos2_IsDeliveredOnce_HoweverOftenItIsRepeated(MqttVersion version)
    {
        var (_, client, connection) = await StartAsync(version);
        var texts = await SubscribeAsync(client, connection, "t");
        await connection.PublishAsync("t", "a", qos: 2, id: 7);
        await connection.ExpectAsync("PubRec id=7 Success");
        await connection.PublishAsync("t", "a", qos: 2, id: 7, duplicate: true);
        await connection.ExpectAsync("PubRec id=7 Success");
        await connection.AckAsync(MqttPacketType.PubRel, 7);
        await connection.ExpectAsync("PubComp id=7 Success");
        // Released, the identifier stands for the next message.
        await connection.PublishAsync("t", "b", qos: 2, id: 7);
        await connection.ExpectAsync("PubRec id=7 Success");
        Assert.Equal("t:a", await texts.ReadAsync(TestTimeout));
        Assert.Equal("t:b", await texts.ReadAsync(TestTimeout));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Qos2_RepeatedAfterAReconnect_IsNotDeliveredAgain(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        var texts = await SubscribeAsync(client, first, "t");
        await first.PublishAsync("t", "a", qos: 2, id: 7);
        await first.ExpectAsync("PubRec id=7 Success");
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await second.PublishAsync("t", "a", qos: 2, id: 7, duplicate: true);
        await second.ExpectAsync("PubRec id=7 Success");
        second.Reset();
        var third = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await third.AckAsync(MqttPacketType.PubRel, 7);
        await third.ExpectAsync("PubComp id=7 Success");
        await third.PublishAsync("t", "end");
        Assert.Equal("t:a", await texts.ReadAsync(TestTimeout));
        Assert.Equal("t:end", await texts.ReadAsync(TestTimeout));
    }

    [Fact]
    public async Task Qos2_OfAForgottenSession_IsANewMessage()
    {
        var (broker, client, first) = await StartAsync(Persistent(MqttVersion.V500));
        var texts = await SubscribeAsync(client, first, "t");
        await first.PublishAsync("t", "a", qos: 2, id: 7);
        await first.ExpectAsync("PubRec id=7 Success");
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: false);
        await second.ReceiveAsync();
        await second.SubAckAsync(2, 2);
        await second.PublishAsync("t", "b", qos: 2, id: 7);
        await second.ExpectAsync("PubRec id=7 Success");
        Assert.Equal("t:a", await texts.ReadAsync(TestTimeout));
        Assert.Equal("t:b", await texts.ReadAsync(TestTimeout));
    }

    [Fact]
    public async Task MessageWithoutAHandler_IsAcknowledgedAndForgotten()
    {
        var (_, _, connection) = await StartAsync(MqttVersion.V311);
        await connection.PublishAsync("t", "x", qos: 1, id: 7);
        await connection.ExpectAsync("PubAck id=7 Success");
    }

    [Fact]
    public async Task FailingHandler_IsLogged_AndTheNextMessageArrives()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V311);
        await SubscribeAsync(client, connection, (_, _) => throw new InvalidOperationException("by the test"));
        await connection.PublishAsync("t", "x", qos: 1, id: 7);
        await connection.PublishAsync("t", "y", qos: 1, id: 8);
        await connection.ExpectAsync("PubAck id=7 Success", "PubAck id=8 Success");
        await LoggedAsync(2002);
    }

    [Fact]
    public async Task Properties_AreRead()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        var messages = Channel.CreateBounded<MqttMessage>(1);
        await SubscribeAsync(client, connection, (message, token) => messages.Writer.WriteAsync(message, token));
        await connection.PublishAsync(
            "t", "x", retain: true,
            properties: "0101" + "0200000007" + "03000161" + "08000172" + "09000109" + "2600016B000176" + "2600016B000177" + "0B05" + "0BC801");
        var message = await messages.Reader.ReadAsync(TestTimeout);
        Assert.True(message.PayloadIsUtf8 && message.Retain);
        Assert.Equal(
            (7u, "a", "r", "09"),
            (message.MessageExpirySeconds, message.ContentType, message.ResponseTopic, Convert.ToHexString(message.CorrelationData.Span)));
        Assert.Equal([new("k", "v"), new("k", "w")], message.UserProperties);
        Assert.Equal([5u, 200u], message.SubscriptionIdentifiers);
    }

    [Fact]
    public async Task TopicAliases_AreResolved()
    {
        var (_, client, connection) = await StartAsync(Options with { Limits = Options.Limits with { InboundTopicAliases = 2 } });
        var texts = await SubscribeAsync(client, connection, "#");
        await connection.PublishAsync("a", "1", properties: "230002");
        await connection.PublishAsync("", "2", properties: "230002");
        await connection.PublishAsync("b", "3", properties: "230002");
        await connection.PublishAsync("", "4", properties: "230002");
        foreach (var expected in (string[])["a:1", "a:2", "b:3", "b:4"]) Assert.Equal(expected, await texts.ReadAsync(TestTimeout));
    }

    [Theory]
    [InlineData("230003", "TopicAliasInvalid")]
    [InlineData("230000", "TopicAliasInvalid")]
    [InlineData("230001", "ProtocolError")]
    [InlineData("", "ProtocolError")]
    public async Task TopicAliasThatIsWrong_EndsTheConnection(string properties, string reason)
    {
        var (_, _, connection) = await StartAsync(Options with { Limits = Options.Limits with { InboundTopicAliases = 2 } });
        await connection.PublishAsync("", "1", properties: properties);
        await connection.ExpectAsync($"Disconnect {reason}", "closed");
    }

    [Fact]
    public async Task MoreThanReceiveMaximum_EndsTheConnection()
    {
        var (_, client, connection) = await StartAsync(Options with { Limits = Options.Limits with { ReceiveMaximum = 2 } });
        var leave = new TaskCompletionSource();
        await SubscribeAsync(client, connection, async (_, token) => await leave.Task.WaitAsync(token));
        for (ushort id = 1; id <= 3; id++) await connection.PublishAsync("t", "x", qos: 1 + (id % 2), id: id);
        await connection.ExpectAsync("Disconnect ReceiveMaximumExceeded", "closed");
        leave.SetResult();
    }

    [Fact]
    public async Task OverlappingFilters_WithIdentifiers_GetTheCopiesThatAreTheirs()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        var seen = Channel.CreateBounded<string>(10);
        for (uint i = 1; i <= 2; i++)
        {
            var (number, filter) = (i, i == 1 ? "a/#" : "a/b");
            var subscribing = client.SubscribeAsync(
                new MqttSubscription(filter) { Identifier = number }, (_, token) => seen.Writer.WriteAsync($"{number}", token), TestTimeout);
            await connection.ReceiveAsync();
            await connection.SubAckAsync((ushort)number, 1);
            await subscribing;
        }
        await connection.PublishAsync("a/b", "x", properties: "0B02");
        await connection.PublishAsync("a/b", "x", properties: "0B01");
        await connection.PublishAsync("a/b", "x", properties: "0B010B02");
        foreach (var expected in (string[])["2", "1", "2", "1"]) Assert.Equal(expected, await seen.Reader.ReadAsync(TestTimeout));
    }

    [Fact]
    public async Task HandlerThatPublishes_GetsItsAcknowledgement_BehindAFloodOfMessages()
    {
        var (_, client, connection) = await StartAsync(Options with { Limits = Options.Limits with { ReceivedMessages = 4 } });
        var answered = new TaskCompletionSource();
        await SubscribeAsync(client, connection, async (_, token) =>
        {
            if (answered.Task.IsCompleted) return;
            await client.PublishAsync(Message("answer", "x", 1), token);
            answered.TrySetResult();
        });
        await connection.PublishAsync("t", "first");
        await connection.ExpectAsync("Publish q1 topic=answer id=2 payload=78");
        for (var i = 0; i < 100; i++) await connection.PublishAsync("t", "flood");
        await connection.AckAsync(MqttPacketType.PubAck, 2);
        await answered.Task.WaitAsync(TestTimeout);
        Assert.InRange(client.DroppedMessages, 1, 100);
        await LoggedAsync(2004);
    }

    [Fact]
    public async Task HandlerThatWaitsForAnotherPublisher_GetsItsAcknowledgement_AfterThePause()
    {
        var (_, client, connection) = await StartAsync(Options with
        {
            Limits = Options.Limits with { ReceivedMessages = 4, ReadingPause = TimeSpan.FromMilliseconds(20) },
        });
        var (wanted, answered) = (new TaskCompletionSource(), new TaskCompletionSource());
        await SubscribeAsync(client, connection, async (_, token) =>
        {
            wanted.TrySetResult();
            await answered.Task.WaitAsync(token);
        });
        await connection.PublishAsync("t", "first");
        await wanted.Task.WaitAsync(TestTimeout);
        var publishing = client.PublishAsync(Message("answer", "x", 1), TestTimeout);
        await connection.ExpectAsync("Publish q1 topic=answer id=2 payload=78");
        for (ushort i = 1; i <= 100; i++) await connection.PublishAsync("t", "flood", qos: i <= 10 ? 1 : 0, id: (ushort)(i <= 10 ? i : 0));
        await connection.AckAsync(MqttPacketType.PubAck, 2);
        await publishing;
        answered.SetResult();
        // What must not be lost was not.
        for (var id = 1; id <= 10; id++) await connection.ExpectAsync($"PubAck id={id} Success");
        Assert.InRange(client.DroppedMessages, 1, 90);
    }

    [Fact]
    public async Task FloodThatMustNotBeDropped_IsHeldBack_UntilTheHandlerGoesOn()
    {
        const int count = 100;
        var (_, client, connection) = await StartAsync(Options with
        {
            Version = MqttVersion.V311,
            Limits = Options.Limits with { ReceivedBytes = 1024, ReadingPause = TimeSpan.FromMilliseconds(10) },
        });
        var leave = new TaskCompletionSource();
        await SubscribeAsync(client, connection, async (_, token) => await leave.Task.WaitAsync(token));
        var flooding = Task.Run(
            async () =>
            {
                for (ushort id = 1; id <= count; id++) await connection.PublishAsync("t", new string('x', 1000), qos: 1, id: id);
            },
            TestTimeout);
        await LoggedAsync(2007);
        leave.SetResult();
        for (var id = 1; id <= count; id++) await connection.ExpectAsync($"PubAck id={id} Success");
        await flooding;
        Assert.Equal(0, client.DroppedMessages);
    }

    [Fact]
    public async Task FastSender_IsSlowedDown_NothingIsLost()
    {
        const int count = 500;
        var (_, client, connection) = await StartAsync(Options with
        {
            Limits = Options.Limits with { ReceivedMessages = 4, ReadingPause = TimeSpan.FromSeconds(5) },
        });
        var texts = await SubscribeAsync(client, connection, "t");
        for (var i = 0; i < count; i++) await connection.PublishAsync("t", $"{i}");
        for (var i = 0; i < count; i++) Assert.Equal($"t:{i}", await texts.ReadAsync(TestTimeout));
        Assert.Equal(0, client.DroppedMessages);
    }

    private async Task SubscribeAsync(MqttClient client, ScriptedConnection connection, MqttMessageHandler handler)
    {
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), handler, TestTimeout);
        await connection.ReceiveAsync();
        await connection.SubAckAsync(1, 1);
        await subscribing;
    }
}
