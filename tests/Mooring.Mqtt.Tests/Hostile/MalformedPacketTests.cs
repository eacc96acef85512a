using System.Globalization;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Mqtt.Tests.Codec;

namespace Mooring.Mqtt.Tests.Hostile;

/// <summary>
/// Every packet of the vectors that a client must not send, sent by a client of a live broker: it is told the reason where its version
/// has a way to, its connection is closed, and a neighbour does not notice.
/// </summary>
public sealed class MalformedPacketTests : BrokerTest
{
    public static TheoryData<int> Refused =>
        [.. Enumerable.Range(0, Vector.All.Count).Where(i => Vector.All[i].Expected[0] == '!' || IsFromServer(Vector.All[i]))];

    [Theory]
    [MemberData(nameof(Refused))]
    public void PacketThatNoClientMaySend_EndsItsConnectionAndNoOther(int index)
    {
        var vector = Vector.All[index];
        using var neighbour = RawClient.Connect(Address, "neighbour");
        neighbour.Subscribe("n", 1);
        using var hostile = vector.Bytes[0] >> 4 == (int)MqttPacketType.Connect
            ? new RawClient(Address, vector.Bytes is [_, _, _, _, _, _, _, _, > 5 and not 0x84, ..] ? MqttVersion.V500 : vector.Version)
            : RawClient.Connect(Address, "hostile", vector.Version);
        hostile.Send(vector.Bytes);
        var answers = new List<string>();
        do answers.Add(hostile.Receive()); while (answers[^1] != "closed");
        Assert.Contains(string.Join(' ', answers), Allowed(vector));

        neighbour.Publish("n", "x", qos: 1, id: 1);
        string[] both = [neighbour.Receive(), neighbour.Receive()];
        Assert.Contains("PubAck id=1 Success", both);
        Assert.Contains("Publish q1 topic=n id=1 payload=78", both);
    }

    [Theory]
    [InlineData("2002 0000")] // CONNACK
    [InlineData("9003 000100")] // SUBACK
    [InlineData("B002 0001")] // UNSUBACK
    [InlineData("D000")] // PINGRESP
    [InlineData("4002 0001")] // PUBACK
    [InlineData("5002 0001")]
    [InlineData("6202 0001")]
    [InlineData("7002 0001")]
    [InlineData("3003 000161")] // PUBLISH
    [InlineData("8206 0001 0001 61 00")] // SUBSCRIBE
    [InlineData("A205 0001 0001 61")]
    [InlineData("C000")]
    [InlineData("E000")]
    [InlineData("F000")]
    public void AnythingButConnectAsFirstPacket_IsClosedWithoutAnAnswer(string hex)
    {
        using var client = new RawClient(Address, MqttVersion.V500);
        client.SendHex(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal("closed", client.Receive());
        Assert.Equal(0, Broker.Sessions);
    }

    [Theory]
    [InlineData(0x10)]
    [InlineData(0x20)]
    [InlineData(0x30)]
    [InlineData(0x40)]
    [InlineData(0x50)]
    [InlineData(0x62)]
    [InlineData(0x70)]
    [InlineData(0x82)]
    [InlineData(0x90)]
    [InlineData(0xA2)]
    [InlineData(0xB0)]
    [InlineData(0xC0)]
    [InlineData(0xD0)]
    [InlineData(0xE0)]
    [InlineData(0xF0)]
    public void QuarterOfAGibibyteAnnouncedBeforeConnect_IsRefusedAtTheHeader(int firstByte)
    {
        using var client = new RawClient(Address, MqttVersion.V311);
        client.Send([(byte)firstByte, 0xFF, 0xFF, 0xFF, 0x7F]);
        Assert.Equal("closed", client.Receive());
    }

    [Fact]
    public void BytesAfterConnect_ThatAreNoPacket_EndTheConnectionAfterItsConnAck()
    {
        using var client = new RawClient(Address, MqttVersion.V500);
        client.SendHex("101000044D5154540502003C0321001400006202D301E0020020");
        Assert.StartsWith("ConnAck Success", client.Receive(), StringComparison.Ordinal);
        Assert.StartsWith("Pub", client.Receive(), StringComparison.Ordinal);
        Assert.StartsWith("Disconnect", client.Receive(), StringComparison.Ordinal);
        Assert.Equal("closed", client.Receive());
    }

    [Theory]
    [InlineData("101B00044D5154540506003C000001630608 00032B2F61 000177 000178", "ConnAck ProtocolError")] // response topic +/a
    [InlineData("101600044D5154540506003C00000163 00 00022B2F 000178", "ConnAck TopicNameInvalid")] // topic +/
    [InlineData("101400044D5154540506003C00000163 00 0000 000178", "ConnAck TopicNameInvalid")] // no topic
    public void WillThatCouldNotBePublished_IsRefusedAtConnect(string hex, string expected)
    {
        using var client = new RawClient(Address, MqttVersion.V500);
        client.SendHex(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Contains(client.Receive(), (string[])[expected, "closed"]);
        Assert.Equal(0, Broker.Sessions);
    }

    private static bool IsFromServer(Vector vector) => (MqttPacketType)(vector.Bytes[0] >> 4)
        is MqttPacketType.ConnAck or MqttPacketType.SubAck or MqttPacketType.UnsubAck or MqttPacketType.PingResp;

    private static string[] Allowed(Vector vector)
    {
        var isConnect = vector.Bytes[0] >> 4 == (int)MqttPacketType.Connect;
        if (!isConnect && vector.Version != MqttVersion.V500) return ["closed"];
        string[] reasons = vector.Expected[0] == '!' && !IsFromServer(vector)
            ? [$"{(MqttReasonCode)byte.Parse(vector.Expected.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture)}"]
            : [nameof(MqttReasonCode.ProtocolError), nameof(MqttReasonCode.MalformedPacket)];
        return isConnect
            ? ["closed", .. reasons.Select(reason => $"ConnAck {reason} closed")]
            : [.. reasons.Select(reason => $"Disconnect {reason} closed")];
    }
}
