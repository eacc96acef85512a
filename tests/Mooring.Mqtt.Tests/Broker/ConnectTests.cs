using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Connecting and leaving, clause by clause (MQTT-3.1, 3.2, 3.14, 4.12).</summary>
public sealed class ConnectTests : BrokerTest
{
    protected override MqttBrokerLimits Limits => new() { SessionExpiry = TimeSpan.FromSeconds(1000), ClientIdBytes = 64 };

    [Fact]
    public void EmptyIdentifier_IsInvented_AndTold()
    {
        using var old = RawClient.Connect(Address, "", MqttVersion.V311);
        using var second = RawClient.Connect(Address, "", MqttVersion.V311);
        using var five = RawClient.Connect(Address, "", MqttVersion.V500);
        Assert.Equal(3, Broker.Sessions);
        Assert.Contains("12", five.ConnAck, StringComparison.Ordinal);
        old.ExpectNothing();
    }

    [Theory]
    [InlineData(MqttVersion.V310, 24)]
    [InlineData(MqttVersion.V311, 65)]
    [InlineData(MqttVersion.V500, 65)]
    public void IdentifierThatIsTooLong_IsRefused_AndTheConnectionCloses(MqttVersion version, int length)
    {
        using var longest = RawClient.Connect(Address, new string('i', length - 1), version);
        using var client = RawClient.Connect(Address, new string('i', length), version, expect: "ConnAck ClientIdentifierNotValid");
        Assert.Equal("closed", client.Receive());
    }

    [Theory]
    [InlineData("a\u0001b", null)]
    [InlineData("a\nb", null)]
    [InlineData("a", "u\u001bb")]
    public void ControlCharactersInNames_AreRefused(string id, string? user)
    {
        using var client = RawClient.Connect(
            Address, id, MqttVersion.V500, user: user, password: user, expect: "ConnAck ClientIdentifierNotValid");
        Assert.Equal("closed", client.Receive());
    }

    [Fact]
    public void ClientThatTakesNotEvenConnAck_IsClosed()
    {
        using var client = new RawClient(Address, MqttVersion.V500);
        client.SendHex("101300044D5154540502000A052700000002" + "000170");
        Assert.Equal("closed", client.Receive());
        Assert.Equal(0, Broker.Sessions);
    }

    [Fact]
    public void Version31_NeedsAnIdentifier_AndLeavesTheReservedFlagToTheClient()
    {
        using var nameless = RawClient.Connect(Address, "", MqttVersion.V310, expect: "ConnAck ClientIdentifierNotValid");
        using var flagged = new RawClient(Address, MqttVersion.V311);
        flagged.SendHex("100F00064D51497364700301000A000170");
        Assert.Equal("ConnAck Success", flagged.Receive());
    }

    [Theory]
    [InlineData("100E00044D5154540302003C00026162", MqttVersion.V311)]
    [InlineData("100E00044D5154540002003C00026162", MqttVersion.V311)]
    [InlineData("100E00044D5154548402003C00026162", MqttVersion.V311)] // a bridge of 3.1.1
    [InlineData("100F00044D5154548502003C0000026162", MqttVersion.V500)]
    [InlineData("100F00044D5154540602003C0000026162", MqttVersion.V500)]
    public void UnknownLevel_IsRefusedInTheFormOfTheNearestVersion(string hex, MqttVersion form)
    {
        using var client = new RawClient(Address, form);
        client.SendHex(hex);
        Assert.Equal("ConnAck UnsupportedProtocolVersion", client.Receive());
        Assert.Equal("closed", client.Receive());
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(1000u, false)]
    [InlineData(1001u, true)]
    [InlineData(uint.MaxValue - 1, true)]
    [InlineData(uint.MaxValue, true)]
    public void SessionExpiryAboveTheBound_IsCapped_AndTheClientIsToldOnlyThen(uint? asked, bool isTold)
    {
        using (var client = RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: asked))
        {
            Assert.Equal(isTold, client.ConnAck.Contains("11000003E8", StringComparison.Ordinal));
            client.Leave();
        }
        Broker.Tick(Broker.Now + 990_000);
        Assert.Equal(asked is null ? 0 : 1, Broker.Sessions);
        Broker.Tick(Broker.Now + 1_001_000);
        Assert.Equal(0, Broker.Sessions);
    }

    [Fact]
    public void SessionPresent_IsToldOnlyWhereThereWasOne_AndCleanStartIsOff()
    {
        RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, expect: "ConnAck Success").Leave();
        RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, expect: "ConnAck present Success").Leave();
        RawClient.Connect(Address, "c", MqttVersion.V500, clean: true, expiry: 100, expect: "ConnAck Success").Leave();
        RawClient.Connect(Address, "c", MqttVersion.V311, clean: false, expect: "ConnAck present Success").Leave();
        RawClient.Connect(Address, "c", MqttVersion.V311, clean: true, expect: "ConnAck Success").Leave();
        RawClient.Connect(Address, "c", MqttVersion.V311, clean: false, expect: "ConnAck Success").Leave();
    }

    [Fact]
    public void PacketsSentAheadOfConnAck_AreHandled()
    {
        using var client = new RawClient(Address, MqttVersion.V311);
        client.SendHex("100D00044D5154540402003C000163" + "82060001000174" + "00" + "32080001740002" + "313233" + "C000");
        string[] answers = [.. Enumerable.Range(0, 5).Select(_ => client.Receive())];
        Assert.Equal("ConnAck Success", answers[0]);
        Assert.Equal("SubAck id=1 codes=00", answers[1]);
        Assert.Contains("Publish q0 topic=t payload=313233", answers);
        Assert.Contains("PubAck id=2 Success", answers);
        Assert.Equal("PingResp", answers[4]);
    }

    [Fact]
    public void PacketsAfterARefusedConnect_AreThrownAway()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("#");
        using var refused = new RawClient(Address, MqttVersion.V311);
        refused.SendHex("100C00044D5154540400003C0000" + "3003000174" + "300400017431");
        Assert.Equal("ConnAck ClientIdentifierNotValid", refused.Receive());
        Assert.Equal("closed", refused.Receive());
        watcher.ExpectNothing();
    }

    [Fact]
    public void PublishAndDisconnectInOneSegment_DeliverTheMessage_AndNotTheWill()
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("#");
        using (var client = RawClient.Connect(Address, "c", will: "will"))
        {
            client.SendHex("30040001743" + "1" + "E000");
        }
        Assert.Equal("Publish q0 topic=t payload=31", watcher.Receive());
        Eventually.True(() => Broker.Connections == 1, "the end of the client's connection");
        watcher.ExpectNothing();
    }

    [Fact]
    public void Disconnect_MayShortenAndProlongASession_ButNotCreateOne()
    {
        using (var client = RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 10)) client.Leave(expiry: 500);
        Broker.Tick(Broker.Now + 400_000);
        Assert.Equal(1, Broker.Sessions);
        using (var client = RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 500, expect: "ConnAck present")) client.Leave(expiry: 0);
        Assert.Equal(0, Broker.Sessions);
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("will");
        using var wrong = RawClient.Connect(Address, "c", MqttVersion.V500, will: "will");
        wrong.SendHex("E007000511000001F4");
        Assert.Equal("Disconnect ProtocolError", wrong.Receive());
        Assert.Equal("Publish q0 topic=will payload=676F6E65", watcher.Receive());
    }

    [Theory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V500)]
    public void PacketThatIsRefused_PublishesTheWill(MqttVersion version)
    {
        using var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("will");
        using var client = RawClient.Connect(Address, "c", version, will: "will");
        client.SendHex("0000");
        Assert.Equal("Publish q0 topic=will payload=676F6E65", watcher.Receive());
    }

    [Fact]
    public void HalfAPacket_IsNoSignOfLife()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500, keepAlive: 10);
        client.SendHex("30");
        using var other = RawClient.Connect(Address, "o");
        other.ExpectNothing();
        Broker.Tick(Broker.Now + 16_000);
        Assert.Equal("Disconnect KeepAliveTimeout", client.Receive());
    }

    [Fact]
    public void KeepAliveOfZero_IsNone_AndTheLongestIsKept()
    {
        using var none = RawClient.Connect(Address, "none");
        using var longest = RawClient.Connect(Address, "longest", keepAlive: 65_535);
        Broker.Tick(Broker.Now + 98_000_000);
        none.ExpectNothing();
        longest.ExpectNothing();
        Broker.Tick(Broker.Now + 99_000_000);
        Assert.Equal("closed", longest.Receive());
        none.ExpectNothing();
    }

    [Fact]
    public void EnhancedAuthentication_IsNotOffered()
    {
        using var client = RawClient.Connect(
            Address, "c", MqttVersion.V500, authentication: "SCRAM-SHA-1", expect: "ConnAck BadAuthenticationMethod");
        Assert.Equal("closed", client.Receive());
        using var data = new RawClient(Address, MqttVersion.V500);
        data.SendHex("101200044D5154540502003C04160001" + "61000163");
        Assert.Contains(data.Receive(), (string[])["ConnAck ProtocolError", "closed"]);
    }

    [Fact]
    public void ShuttingDown_IsTold_AndNoWillIsPublished()
    {
        using var watcher = RawClient.Connect(Address, "w", MqttVersion.V500);
        watcher.Subscribe("will");
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500, will: "will");
        Broker.BeginStop();
        Assert.Equal("Disconnect ServerShuttingDown", client.Receive());
        Assert.Equal("Disconnect ServerShuttingDown", watcher.Receive());
        Assert.Equal("closed", watcher.Receive());
    }

    [Fact]
    public void TakenOverSession_KeepsItsSubscriptionsAndMessages()
    {
        using var first = RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100);
        first.Subscribe("t", 1);
        using var publisher = RawClient.Connect(Address, "p");
        publisher.Publish("t", "1", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 Success", publisher.Receive());
        Assert.Equal("Publish q1 topic=t id=1 payload=31", first.Receive());
        using var second = RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, expect: "ConnAck present");
        Assert.Equal("Disconnect SessionTakenOver", first.Receive());
        Assert.Equal("Publish q1 dup topic=t id=1 payload=31", second.Receive());
        publisher.Publish("t", "2", qos: 1, id: 2);
        Assert.Equal("Publish q1 topic=t id=2 payload=32", second.Receive());
    }
}
