using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>The connection breaks in each state of an outgoing message (MQTT-4.4), and the session is there afterwards or not.</summary>
public sealed class ResumeTests : ClientTest
{
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task BeforePubAck_ThePublishIsRepeatedWithDup(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        var publishing = client.PublishAsync(Message("t", "x", 1), TestTimeout);
        await first.ExpectAsync("Publish q1 topic=t id=1 payload=78");
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await second.ExpectAsync("Publish q1 dup topic=t id=1 payload=78");
        await second.AckAsync(MqttPacketType.PubAck, 1);
        await publishing;
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task BeforePubRec_ThePublishIsRepeatedWithDup(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        var publishing = client.PublishAsync(Message("t", "x", 2), TestTimeout);
        await first.ExpectAsync("Publish q2 topic=t id=1 payload=78");
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await second.ExpectAsync("Publish q2 dup topic=t id=1 payload=78");
        await second.AckAsync(MqttPacketType.PubRec, 1);
        await second.ExpectAsync("PubRel id=1 Success");
        await second.AckAsync(MqttPacketType.PubComp, 1);
        await publishing;
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task BeforePubComp_OnlyPubRelIsRepeated(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        var publishing = client.PublishAsync(Message("t", "x", 2), TestTimeout);
        await first.ReceiveAsync();
        await first.AckAsync(MqttPacketType.PubRec, 1);
        await first.ExpectAsync("PubRel id=1 Success");
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await second.ExpectAsync("PubRel id=1 Success");
        await second.AckAsync(MqttPacketType.PubComp, 1);
        await publishing;
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Repeats_KeepTheirOrder_BeforeAnythingNew(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        for (var i = 0; i < 4; i++) await client.EnqueueAsync(Message("t", $"{i}", 1 + (i % 2)), TestTimeout);
        for (var i = 0; i < 4; i++) await first.ReceiveAsync();
        await first.AckAsync(MqttPacketType.PubAck, 3);
        await first.AckAsync(MqttPacketType.PubRec, 4);
        await first.ExpectAsync("PubRel id=4 Success");
        broker.IsUnreachable = true;
        var waiting = Moves(client, LinkState.Waiting);
        first.Reset();
        await waiting.ReadAsync(TestTimeout);
        await client.EnqueueAsync(Message("t", "new", 1), TestTimeout);
        broker.IsUnreachable = false;
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await second.ExpectAsync(
            "Publish q1 dup topic=t id=1 payload=30", "Publish q2 dup topic=t id=2 payload=31", "PubRel id=4 Success",
            $"Publish q1 topic=t id=5 payload={Hex("new")}");
    }

    [Fact]
    public async Task Repeats_CountAgainstTheNewReceiveMaximum()
    {
        var (broker, client, first) = await StartAsync(Persistent(MqttVersion.V500));
        for (var i = 0; i < 3; i++) await client.EnqueueAsync(Message("t", $"{i}", 1), TestTimeout);
        for (var i = 0; i < 3; i++) await first.ReceiveAsync();
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true, properties: "210001");
        for (ushort id = 1; id <= 3; id++)
        {
            await second.ExpectAsync($"Publish q1 dup topic=t id={id} payload=3{id - 1}");
            await second.ExpectNothingAsync();
            await second.AckAsync(MqttPacketType.PubAck, id);
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task LostSession_Qos1IsSentAsNew_InOrder(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        for (var i = 0; i < 2; i++) await client.EnqueueAsync(Message("t", $"{i}", 1), TestTimeout);
        for (var i = 0; i < 2; i++) await first.ReceiveAsync();
        broker.IsUnreachable = true;
        var waiting = Moves(client, LinkState.Waiting);
        first.Reset();
        await waiting.ReadAsync(TestTimeout);
        await client.EnqueueAsync(Message("t", "2", 1), TestTimeout);
        broker.IsUnreachable = false;
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: false);
        for (var i = 0; i < 3; i++) Assert.Matches($"Publish q1 topic=t id=[0-9]+ payload=3{i}", await second.ReceiveAsync());
        await LoggedAsync(2006);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task LostSession_Qos2BeforePubRec_IsInDoubt_AndItsPublisherIsTold(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        var publishing = client.PublishAsync(Message("t", "x", 2), TestTimeout);
        await first.ReceiveAsync();
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: false);
        await Assert.ThrowsAsync<MqttInDoubtException>(async () => await publishing);
        await second.ExpectNothingAsync();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task LostSession_Qos2AfterPubRec_HasArrived(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        var publishing = client.PublishAsync(Message("t", "x", 2), TestTimeout);
        await first.ReceiveAsync();
        await first.AckAsync(MqttPacketType.PubRec, 1);
        await first.ExpectAsync("PubRel id=1 Success");
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: false);
        await publishing;
        await second.ExpectNothingAsync();
    }

    [Fact]
    public async Task NewServerLimits_RefuseWhatWasSentBefore()
    {
        var (broker, client, first) = await StartAsync(Persistent(MqttVersion.V500));
        var publishing = client.PublishAsync(Message("t", "x", 2), TestTimeout);
        await first.ReceiveAsync();
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true, properties: "2401");
        await Assert.ThrowsAsync<MqttRefusedException>(async () => await publishing);
        await second.ExpectNothingAsync();
    }
}
