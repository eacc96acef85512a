using Mooring.Mqtt.Broker.Persistence;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Persistence;

/// <summary>What clients find after the broker's process was killed without a warning.</summary>
public sealed class KilledBrokerTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-kill-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(MqttDurability.Process)]
    [InlineData(MqttDurability.Power)]
    public async Task Sessions_queued_and_retained_messages_are_back(MqttDurability durability)
    {
        await using var first = await BrokerProcess.StartAsync(_folder, TestTimeout, durability);
        var subscriber = RawClient.Connect(first.Address, "s", clean: false);
        subscriber.Subscribe("q/+", 2);
        subscriber.SendHex("E000");
        Assert.Equal("closed", subscriber.Receive());
        subscriber.Dispose();
        using (var publisher = RawClient.Connect(first.Address, "p"))
        {
            publisher.Publish("q/1", "one", qos: 1, id: 1);
            Assert.Equal("PubAck id=1 Success", publisher.Receive());
            publisher.Publish("q/2", "two", qos: 2, id: 2);
            Assert.Equal("PubRec id=2 Success", publisher.Receive());
            publisher.Publish("r", "kept", qos: 1, id: 3, retain: true);
            Assert.Equal("PubAck id=3 Success", publisher.Receive());
            publisher.Publish("gone", "x", qos: 1, id: 4, retain: true);
            Assert.Equal("PubAck id=4 Success", publisher.Receive());
            publisher.Publish("gone", "", qos: 1, id: 5, retain: true);
            Assert.Equal("PubAck id=5 Success", publisher.Receive());
            await first.KillAsync(TestTimeout);
        }

        await using var second = await BrokerProcess.StartAsync(_folder, TestTimeout, durability);
        using var back = RawClient.Connect(second.Address, "s", clean: false, expect: "ConnAck present");
        Assert.Equal("Publish q1 topic=q/1 id=1 payload=6F6E65", back.Receive());
        Assert.Equal("Publish q2 topic=q/2 id=2 payload=74776F", back.Receive());
        using var late = RawClient.Connect(second.Address, "late");
        late.Subscribe("#");
        Assert.Equal("Publish q0 retain topic=r payload=6B657074", late.Receive());
        late.ExpectNothing();
    }

    [Fact]
    public async Task Messages_in_flight_come_again_with_their_ids_and_stages()
    {
        await using var first = await BrokerProcess.StartAsync(_folder, TestTimeout);
        var subscriber = RawClient.Connect(first.Address, "s", clean: false);
        subscriber.Subscribe("t", 2);
        using (var publisher = RawClient.Connect(first.Address, "p", clean: false))
        {
            publisher.Publish("t", "1", qos: 1, id: 1);
            publisher.Publish("t", "2", qos: 2, id: 2);
            publisher.Publish("t", "3", qos: 2, id: 3);
            publisher.Publish("t", "4", qos: 1, id: 4);
            for (var i = 1; i <= 4; i++)
            {
                Assert.StartsWith($"Pub{(i is 1 or 4 ? "Ack" : "Rec")} id={i}", publisher.Receive(), StringComparison.Ordinal);
                Assert.StartsWith($"Publish q{(i is 1 or 4 ? 1 : 2)} topic=t id={i}", subscriber.Receive(), StringComparison.Ordinal);
            }

            subscriber.Ack(MqttPacketType.PubAck, 1);
            subscriber.Ack(MqttPacketType.PubRec, 2);
            Assert.Equal("PubRel id=2 Success", subscriber.Receive());
            await first.KillAsync(TestTimeout);
        }

        subscriber.Dispose();
        await using var second = await BrokerProcess.StartAsync(_folder, TestTimeout);
        using var back = RawClient.Connect(second.Address, "s", clean: false, expect: "ConnAck present");
        Assert.Equal("PubRel id=2 Success", back.Receive());
        Assert.Equal("Publish q2 dup topic=t id=3 payload=33", back.Receive());
        Assert.Equal("Publish q1 dup topic=t id=4 payload=34", back.Receive());

        // The publisher's repetition of a message that was received is not routed again.
        using var again = RawClient.Connect(second.Address, "p", clean: false, expect: "ConnAck present");
        again.Publish("t", "3", qos: 2, id: 3);
        Assert.Equal("PubRec id=3 Success", again.Receive());
        again.Ack(MqttPacketType.PubRel, 3);
        Assert.Equal("PubComp id=3 Success", again.Receive());
        back.ExpectNothing();
    }

    [Fact]
    public async Task Will_that_waits_for_its_delay_is_published_after_the_restart()
    {
        await using var first = await BrokerProcess.StartAsync(_folder, TestTimeout);
        var mortal = RawClient.Connect(first.Address, "m", MqttVersion.V500, clean: false, expiry: 600, will: "w", willDelay: 1);
        await first.KillAsync(TestTimeout);
        mortal.Dispose();
        await using var second = await BrokerProcess.StartAsync(_folder, TestTimeout);
        using var mourner = RawClient.Connect(second.Address, "o");
        mourner.Subscribe("w");
        Assert.Equal("Publish q0 topic=w payload=676F6E65", mourner.Receive());
    }

    /// <summary>The process is killed five times at random moments while messages run to one client that is there and one that is away.</summary>
    [Theory]
    [InlineData(1, MqttDurability.Process)]
    [InlineData(2, MqttDurability.Process)]
    [InlineData(2, MqttDurability.Power)]
    public async Task Killed_under_load_no_acknowledged_message_is_lost_and_no_QoS_2_message_comes_twice(int qos, MqttDurability durability)
    {
        const int Rounds = 5;
        var random = new Random(qos);
        var publisher = new ExactingPeer("publisher", qos);
        var present = new ExactingPeer("present", qos) { Subscription = "load/#" };
        var away = new ExactingPeer("away", qos) { Subscription = "load/+" };
        for (var round = 0; round <= Rounds; round++)
        {
            await using var broker = await BrokerProcess.StartAsync(_folder, TestTimeout, durability);
            var isLast = round == Rounds;
            if (round == 0)
            {
                Subscribe(away, broker);
                Subscribe(present, broker);
            }

            var killAt = publisher.WhenAcknowledgedAsync(publisher.Acknowledged + random.Next(1, 2_000));
            using var dead = new CancellationTokenSource();
            var publishing = Task.Run(() => publisher.Run(
                broker.Address, "load/x", () => !isLast, () => dead.IsCancellationRequested || (isLast && publisher.IsSettled && publisher.SessionWasPresent)), TestTimeout);
            var receiving = Task.Run(() => present.Run(
                broker.Address, null, () => false, () => isLast ? Has(present, publisher) && publishing.IsCompleted : dead.IsCancellationRequested), TestTimeout);
            if (isLast)
            {
                await publishing.WaitAsync(TestTimeout);
                // The last message may have come before the publisher knew that it was the last: one more wakes whoever waits for it.
                using var waker = RawClient.Connect(broker.Address, "waker");
                waker.Publish("load/x", "\0\0\0\0", qos: qos, id: 1);
                Assert.StartsWith("Pub", waker.Receive(), StringComparison.Ordinal);
                await receiving.WaitAsync(TestTimeout);
                away.Run(broker.Address, null, () => false, () => Has(away, publisher));
                break;
            }

            await killAt.WaitAsync(TestTimeout);
            await broker.KillAsync(TestTimeout);
            await dead.CancelAsync();
            await Task.WhenAll(publishing, receiving).WaitAsync(TestTimeout);
        }

        foreach (var subscriber in (ExactingPeer[])[present, away])
        {
            Assert.True(subscriber.SessionWasPresent);
            var numbers = subscriber.Received.Where(number => number > 0).ToList();
            Assert.Equal(Enumerable.Range(1, publisher.Sent), numbers.Distinct().Order());
            if (qos == 2)
            {
                Assert.Equal(numbers.Order(), numbers);
                Assert.Equal(publisher.Sent, numbers.Count);
            }
        }
    }

    private static bool Has(ExactingPeer subscriber, ExactingPeer publisher) =>
        subscriber.Received.Count > 0 && subscriber.Received.Max() >= publisher.Sent;

    private static void Subscribe(ExactingPeer peer, BrokerProcess broker)
    {
        var turns = 0;
        // CONNACK, then SUBACK.
        peer.Run(broker.Address, null, () => false, () => turns++ == 2);
    }
}
