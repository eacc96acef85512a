using System.Globalization;
using System.Text;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>Messages to the broker: acknowledgements, windows, limits of the server.</summary>
public sealed class PublishTests : ClientTest
{
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Qos1_EndsWithPubAck(MqttVersion version)
    {
        var (_, client, connection) = await StartAsync(version);
        var publishing = client.PublishAsync(Message("t", "x", 1) with { Retain = true }, TestTimeout);
        await connection.ExpectAsync("Publish q1 retain topic=t id=1 payload=78");
        Assert.False(publishing.IsCompleted);
        await connection.AckAsync(MqttPacketType.PubAck, 1);
        await publishing;
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Qos2_EndsWithPubComp(MqttVersion version)
    {
        var (_, client, connection) = await StartAsync(version);
        var publishing = client.PublishAsync(Message("t", "x", 2), TestTimeout);
        await connection.ExpectAsync("Publish q2 topic=t id=1 payload=78");
        await connection.AckAsync(MqttPacketType.PubRec, 1);
        await connection.ExpectAsync("PubRel id=1 Success");
        // A broker may repeat it.
        await connection.AckAsync(MqttPacketType.PubRec, 1);
        await connection.ExpectAsync("PubRel id=1 Success");
        Assert.False(publishing.IsCompleted);
        await connection.AckAsync(MqttPacketType.PubComp, 1);
        await publishing;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task FailureCode_IsThrownWithItsReason(int qos)
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        var publishing = client.PublishAsync(Message("t", "x", qos), TestTimeout);
        await connection.ReceiveAsync();
        await connection.AckAsync(
            qos == 1 ? MqttPacketType.PubAck : MqttPacketType.PubRec, 1, MqttReasonCode.QuotaExceeded, "1F0004" + Hex("full"));
        var refusal = await Assert.ThrowsAsync<MqttRefusedException>(async () => await publishing);
        Assert.Equal((byte)MqttReasonCode.QuotaExceeded, refusal.ReasonCode);
        Assert.Contains("'full'", refusal.Message, StringComparison.Ordinal);
        // No PUBREL follows, and the identifier is free.
        await connection.ExpectNothingAsync();
    }

    [Fact]
    public async Task NoMatchingSubscribers_IsASuccess()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        var publishing = client.PublishAsync(Message("t", "x", 1), TestTimeout);
        await connection.ReceiveAsync();
        await connection.AckAsync(MqttPacketType.PubAck, 1, MqttReasonCode.NoMatchingSubscribers);
        await publishing;
    }

    [Fact]
    public async Task RefusedMessageThatWasOnlyQueued_IsLogged()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        await client.EnqueueAsync(Message("t", "x", 1), TestTimeout);
        await connection.ReceiveAsync();
        await connection.AckAsync(MqttPacketType.PubAck, 1, MqttReasonCode.NotAuthorized);
        Assert.Contains("'t'", (await LoggedAsync(2003)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Properties_TravelAlong()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        await client.PublishAsync(Message("t", "x", 0) with
        {
            PayloadIsUtf8 = true,
            MessageExpirySeconds = 7,
            ContentType = "a",
            ResponseTopic = "r",
            CorrelationData = new byte[] { 9 },
            UserProperties = [new("k", "v"), new("k", "w")],
        }, TestTimeout);
        await connection.ExpectAsync(
            "Publish q0 topic=t props=0101" + "0200000007" + "03000161" + "08000172" + "09000109" + "2600016B000176" + "2600016B000177" + " payload=78");
    }

    [Fact]
    public async Task PropertiesThatABrokerWouldNotTake_AreRefusedHere()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        var good = Message("t", "x", 0);
        MqttMessage[] wrong =
        [
            good with { ContentType = "a\0" }, good with { ResponseTopic = "a/#" }, good with { UserProperties = [new("k", "\0")] },
            good with { CorrelationData = new byte[65_536] }, good with { QualityOfService = (QualityOfService)3 },
        ];
        foreach (var message in wrong)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.PublishAsync(message, TestTimeout));
        }
        await connection.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/+")]
    [InlineData("#")]
    [InlineData("a\0")]
    public async Task TopicThatIsNone_IsRefusedHere(string topic)
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V311);
        await Assert.ThrowsAsync<MqttRefusedException>(async () => await client.PublishAsync(Message(topic, "x", 1), TestTimeout));
        await connection.ExpectNothingAsync();
    }

    [Fact]
    public async Task ReceiveMaximum_IsNeverExceeded_AndQos0Passes()
    {
        var (_, client, connection) = await StartAsync(Options, connack: "210002");
        for (var i = 0; i < 4; i++) await client.EnqueueAsync(Message("t", $"{i}", 1 + (i % 2)), TestTimeout);
        await client.EnqueueAsync(Message("t", "free", 0), TestTimeout);
        await connection.ExpectAsync(
            "Publish q1 topic=t id=1 payload=30", "Publish q2 topic=t id=2 payload=31", $"Publish q0 topic=t payload={Hex("free")}");
        await connection.ExpectNothingAsync();
        // PUBREC does not give the place back, PUBCOMP does (MQTT-4.9.0-2).
        await connection.AckAsync(MqttPacketType.PubRec, 2);
        await connection.ExpectAsync("PubRel id=2 Success");
        await connection.ExpectNothingAsync();
        await connection.AckAsync(MqttPacketType.PubComp, 2);
        await connection.ExpectAsync("Publish q1 topic=t id=3 payload=32");
        await connection.ExpectNothingAsync();
        await connection.AckAsync(MqttPacketType.PubAck, 1);
        await connection.ExpectAsync("Publish q2 topic=t id=4 payload=33");
        await connection.AckAsync(MqttPacketType.PubRec, 4, MqttReasonCode.UnspecifiedError);
        await connection.ExpectNothingAsync();
    }

    [Fact]
    public async Task InFlightExactlyOnce_BoundsQos2WhereTheBrokerCannot()
    {
        var (_, client, connection) = await StartAsync(
            Options with { Version = MqttVersion.V311, Limits = new MqttClientLimits { InFlightExactlyOnce = 1 } });
        foreach (var qos in (int[])[2, 2, 1]) await client.EnqueueAsync(Message("t", "x", qos), TestTimeout);
        // Messages of QoS 1 do not overtake those of QoS 2: one topic may carry both.
        await connection.ExpectAsync("Publish q2 topic=t id=1 payload=78");
        await connection.ExpectNothingAsync();
        await connection.AckAsync(MqttPacketType.PubRec, 1);
        await connection.AckAsync(MqttPacketType.PubComp, 1);
        await connection.ExpectAsync("PubRel id=1 Success", "Publish q2 topic=t id=2 payload=78", "Publish q1 topic=t id=3 payload=78");
    }

    [Theory]
    [InlineData("2401", 2, false, "QoSNotSupported")]
    [InlineData("2400", 1, false, "QoSNotSupported")]
    [InlineData("2500", 1, true, "RetainNotSupported")]
    [InlineData("2700000010", 1, false, "PacketTooLarge")]
    public async Task WhatTheServerDoesNotTake_IsRefusedHere(string connack, int qos, bool retain, string reason)
    {
        var (_, client, connection) = await StartAsync(Options, connack);
        var refusal = await Assert.ThrowsAsync<MqttRefusedException>(
            async () => await client.PublishAsync(Message("topic", "12345678", qos) with { Retain = retain }, TestTimeout));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        // The connection lives, and the next message goes out.
        await client.PublishAsync(Message("t", "x", 0), TestTimeout);
        await connection.ExpectAsync("Publish q0 topic=t payload=78");
    }

    [Fact]
    public async Task TopicAliases_AreSetOnceAndUsed_AsFarAsTheServerTakesThem()
    {
        var (broker, client, connection) = await StartAsync(Options, connack: "220001");
        for (var i = 0; i < 2; i++) await client.PublishAsync(Message("a/long/topic", "x", 0), TestTimeout);
        await client.PublishAsync(Message("another/long/topic", "x", 0), TestTimeout);
        await connection.ExpectAsync(
            "Publish q0 topic=a/long/topic props=230001 payload=78", "Publish q0 topic= props=230001 payload=78",
            "Publish q0 topic=another/long/topic payload=78");
        // The next connection knows none.
        await connection.CloseAsync();
        var second = await broker.ConnectAsync(TestTimeout);
        await client.PublishAsync(Message("a/long/topic", "x", 0), TestTimeout);
        await second.ExpectAsync("Publish q0 topic=a/long/topic payload=78");
    }

    [Fact]
    public async Task TopicAlias_IsLeftOutWhereItWouldNotFit()
    {
        // 1 + 1 + 2 + 12 + 1 + 1 bytes: the alias would be three too many.
        var (_, client, connection) = await StartAsync(Options, connack: "220001" + "2700000012");
        await client.PublishAsync(Message("a/long/topic", "x", 0), TestTimeout);
        await connection.ExpectAsync("Publish q0 topic=a/long/topic payload=78");
    }

    [Fact]
    public async Task Identifiers_SkipTheOneThatIsNeverAcknowledged_AndWrap()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V311);
        await client.EnqueueAsync(Message("stuck", "", 1), TestTimeout);
        await connection.ExpectAsync("Publish q1 topic=stuck id=1 payload=");
        for (var i = 0; i < 66_000; i++)
        {
            var publishing = client.PublishAsync(Message("t", "", 1), TestTimeout);
            var words = (await connection.ReceiveAsync()).Split(' ', '=');
            var id = int.Parse(words[5], CultureInfo.InvariantCulture);
            Assert.InRange(id, 2, ushort.MaxValue);
            await connection.AckAsync(MqttPacketType.PubAck, (ushort)id);
            await publishing;
        }
    }

    [Fact]
    public async Task Cancelled_BeforeItWasSent_IsTakenBack()
    {
        var (_, client, connection) = await StartAsync(Options, connack: "210001");
        await client.EnqueueAsync(Message("t", "first", 1), TestTimeout);
        using var cancel = new CancellationTokenSource();
        var publishing = client.PublishAsync(Message("t", "never", 1), cancel.Token);
        await client.EnqueueAsync(Message("t", "last", 1), TestTimeout);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await publishing);
        await connection.ExpectAsync($"Publish q1 topic=t id=1 payload={Hex("first")}");
        await connection.AckAsync(MqttPacketType.PubAck, 1);
        await connection.ExpectAsync($"Publish q1 topic=t id=2 payload={Hex("last")}");
    }

    [Fact]
    public async Task Cancelled_AfterItWasSent_KeepsItsIdentifierUntilTheAcknowledgement()
    {
        var (_, client, connection) = await StartAsync(Options, connack: "210001");
        using var cancel = new CancellationTokenSource();
        var publishing = client.PublishAsync(Message("t", "x", 1), cancel.Token);
        await connection.ExpectAsync("Publish q1 topic=t id=1 payload=78");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await publishing);
        await client.EnqueueAsync(Message("t", "y", 1), TestTimeout);
        await connection.ExpectNothingAsync();
        await connection.AckAsync(MqttPacketType.PubAck, 1);
        await connection.ExpectAsync("Publish q1 topic=t id=2 payload=79");
    }

    [Fact]
    public async Task Cancelled_AfterItWasQueued_IsSentAllTheSame()
    {
        var (_, client, connection) = await StartAsync(Options, connack: "210001");
        await client.EnqueueAsync(Message("t", "first", 1), TestTimeout);
        using var cancel = new CancellationTokenSource();
        await client.EnqueueAsync(Message("t", "second", 1), cancel.Token);
        await cancel.CancelAsync();
        await connection.ExpectAsync($"Publish q1 topic=t id=1 payload={Hex("first")}");
        await connection.AckAsync(MqttPacketType.PubAck, 1);
        await connection.ExpectAsync($"Publish q1 topic=t id=2 payload={Hex("second")}");
    }

    [Fact]
    public async Task ManyPublishersWithCancellations_AtOnce_MixNothingUp()
    {
        const int publishers = 8, rounds = 500;
        var (_, client, connection) = await StartAsync(Options with { Limits = Options.Limits with { QueuedMessages = 4 } }, connack: "210003");
        var acknowledging = AcknowledgeAllAsync(connection);
        var sent = await Task.WhenAll(Enumerable.Range(0, publishers).Select(async publisher =>
        {
            var (random, done) = (new Random(publisher), new List<string>());
            for (var round = 0; round < rounds; round++)
            {
                using var cancel = new CancellationTokenSource();
                var text = $"{publisher}-{round}-{new string('x', random.Next(3) == 0 ? 2000 : 10)}";
                var publishing = client.PublishAsync(Message("t", text, 1), cancel.Token).AsTask();
                if (random.Next(3) == 0) await cancel.CancelAsync();
                try
                {
                    await publishing;
                    done.Add(text);
                }
                catch (OperationCanceledException)
                {
                    // Sent or not: both are right.
                }
            }
            return done;
        }));
        await client.StopAsync(TimeLimit);
        var received = await acknowledging;
        Assert.Equal(received.Count, received.Distinct().Count());
        Assert.Superset(sent.SelectMany(texts => texts).ToHashSet(), received.ToHashSet());
    }

    private static async Task<List<string>> AcknowledgeAllAsync(ScriptedConnection connection)
    {
        var received = new List<string>();
        while (await connection.ReceiveAsync() is var packet && packet.StartsWith("Publish", StringComparison.Ordinal))
        {
            var words = packet.Split(' ', '=');
            received.Add(Encoding.UTF8.GetString(Convert.FromHexString(words[7])));
            await connection.AckAsync(MqttPacketType.PubAck, ushort.Parse(words[5], CultureInfo.InvariantCulture));
        }
        await connection.CloseAsync();
        return received;
    }
}
