using Mooring.Kernel.Options;
using Mooring.Mqtt.Broker;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Users and access rules on the wire.</summary>
public sealed class BrokerAccessTests : BrokerTest
{
    private readonly string _users = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
    private IReadOnlyList<AccessRule>? _rules;

    public BrokerAccessTests()
    {
        UsersFile.Set(_users, "ann", "secret", iterations: 1000);
        UsersFile.Set(_users, "bob", "hidden", iterations: 1000);
    }

    protected override MqttBrokerOptions Configure(MqttBrokerOptions options) =>
        options with { UsersFile = _users, AccessRules = _rules };

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        File.Delete(_users);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(MqttVersion.V311, null, null, "ConnAck NotAuthorized")]
    [InlineData(MqttVersion.V500, null, null, "ConnAck NotAuthorized")]
    [InlineData(MqttVersion.V500, "ann", null, "ConnAck BadUserNameOrPassword")]
    [InlineData(MqttVersion.V500, "ann", "hidden", "ConnAck BadUserNameOrPassword")]
    [InlineData(MqttVersion.V500, "eve", "secret", "ConnAck BadUserNameOrPassword")]
    [InlineData(MqttVersion.V311, "ann", "secret", "ConnAck Success")]
    [InlineData(MqttVersion.V500, "bob", "hidden", "ConnAck Success")]
    public void Connect_NeedsTheRightPassword(MqttVersion version, string? user, string? password, string answer)
    {
        using var client = RawClient.Connect(Address, "c", version, user: user, password: password, expect: answer);
        if (answer.EndsWith("Success", StringComparison.Ordinal)) client.ExpectNothing();
        else Assert.Equal("closed", client.Receive());
    }

    [Fact]
    public void PasswordThatWasRight_IsRecognised_AndAnotherOneIsNot()
    {
        for (var i = 0; i < 3; i++)
        {
            using var right = RawClient.Connect(Address, "c", user: "ann", password: "secret");
            using var wrong = RawClient.Connect(
                Address, "d", MqttVersion.V500, user: "ann", password: "Secret", expect: "ConnAck BadUserNameOrPassword");
        }
    }

    [Fact]
    public void PacketsSentBeforeThePasswordWasChecked_AreHandledAfterwards()
    {
        using var listener = RawClient.Connect(Address, "l", user: "ann", password: "secret");
        listener.Subscribe("t");
        using var eager = new RawClient(Address, MqttVersion.V311);
        eager.Send(
        [
            0x10, 26, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 0xC2, 0, 0, 0, 1, (byte)'e', 0, 3, (byte)'b', (byte)'o',
            (byte)'b', 0, 6, (byte)'h', (byte)'i', (byte)'d', (byte)'d', (byte)'e', (byte)'n',
            0x30, 4, 0, 1, (byte)'t', (byte)'1', 0xE0, 0,
        ]);
        Assert.StartsWith("ConnAck", eager.Receive(), StringComparison.Ordinal);
        Assert.Equal("closed", eager.Receive());
        Assert.Contains("t", listener.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void ForbiddenPublish_IsAcknowledgedAsTheVersionAsks_AndGoesNowhere()
    {
        _rules = [new(true, AccessAction.Subscribe, "#"), new(true, AccessAction.Publish, "open/#")];
        using var watcher = RawClient.Connect(Address, "w", user: "ann", password: "secret");
        watcher.Subscribe("#");
        using var old = RawClient.Connect(Address, "o", MqttVersion.V311, user: "bob", password: "hidden");
        old.Publish("shut/a", "x", qos: 1, id: 7);
        Assert.Equal("PubAck id=7 Success", old.Receive());
        using var five = RawClient.Connect(Address, "f", MqttVersion.V500, user: "bob", password: "hidden");
        five.Publish("shut/a", "x", qos: 1, id: 7);
        Assert.Equal("PubAck id=7 NotAuthorized", five.Receive());
        five.Publish("shut/a", "x", qos: 2, id: 8, retain: true);
        Assert.Equal("PubRec id=8 NotAuthorized", five.Receive());
        five.Publish("shut/a", "x");
        five.ExpectNothing();
        watcher.ExpectNothing();
        Assert.Equal(0, Broker.Retained);
    }

    [Fact]
    public void ForbiddenWill_IsRefusedAtConnect()
    {
        _rules = [new(true, AccessAction.All, "open/#")];
        using var refused = RawClient.Connect(
            Address, "r", MqttVersion.V500, will: "shut/w", user: "ann", password: "secret", expect: "ConnAck NotAuthorized");
        using var accepted = RawClient.Connect(Address, "a", MqttVersion.V500, will: "open/w", user: "ann", password: "secret");
    }

    [Fact]
    public void ForbiddenFilter_IsRefusedAlone_SharedOrNot()
    {
        _rules = [new(true, AccessAction.Subscribe, "open/#")];
        using var five = RawClient.Connect(Address, "f", MqttVersion.V500, user: "ann", password: "secret");
        five.Subscribe("shut", expect: "SubAck id=1 codes=87");
        five.Subscribe("$share/g/shut", expect: "SubAck id=1 codes=87");
        five.Subscribe("+/a", expect: "SubAck id=1 codes=87");
        five.Subscribe("open/+");
        five.Subscribe("$share/g/open/a");
        using var old = RawClient.Connect(Address, "o", MqttVersion.V311, user: "ann", password: "secret");
        old.Subscribe("shut", expect: "SubAck id=1 codes=80");
    }

    [Fact]
    public void TopicDeniedInsideAnAllowedWildcard_IsNotDelivered_LiveRetainedOrShared()
    {
        _rules =
        [
            new(true, AccessAction.All, "#") { User = "ann" },
            new(false, AccessAction.Subscribe, "a/secret"),
            new(true, AccessAction.Subscribe, "a/#"),
        ];
        using var ann = RawClient.Connect(Address, "ann", user: "ann", password: "secret");
        ann.Publish("a/secret", "kept", qos: 1, id: 1, retain: true);
        Assert.Equal("PubAck id=1 Success", ann.Receive());
        using var bob = RawClient.Connect(Address, "bob", user: "bob", password: "hidden");
        bob.Subscribe("a/#");
        bob.Subscribe("$share/g/a/+");
        ann.Publish("a/secret", "live", qos: 1, id: 2);
        Assert.Equal("PubAck id=2 Success", ann.Receive());
        bob.ExpectNothing();
        ann.Subscribe("a/secret");
        Assert.Contains("retain topic=a/secret", ann.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void ReloadedRules_CountForOpenConnectionsAndWhatWaits()
    {
        _rules = [new(true, AccessAction.All, "#")];
        using (var away = RawClient.Connect(Address, "away", clean: false, user: "bob", password: "hidden"))
        {
            away.Subscribe("t/#", options: 1);
            away.SendHex("E000");
            Assert.Equal("closed", away.Receive());
        }
        using var ann = RawClient.Connect(Address, "ann", user: "ann", password: "secret");
        ann.Publish("t/1", "waits", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 Success", ann.Receive());
        Broker.ReloadAccess(new MqttBrokerOptions { UsersFile = _users, AccessRules = [new(true, AccessAction.Publish, "t/#")] });
        using var back = RawClient.Connect(Address, "away", clean: false, user: "bob", password: "hidden", expect: "ConnAck");
        back.ExpectNothing();
        ann.Subscribe("t/#", expect: "SubAck id=1 codes=80");
    }

    [Fact]
    public void RemovedUser_IsDisconnected_AndABadFileChangesNothing()
    {
        using var bob = RawClient.Connect(Address, "b", MqttVersion.V500, user: "bob", password: "hidden");
        var good = File.ReadAllText(_users);
        File.WriteAllText(_users, "nonsense");
        Assert.Throws<ConfigurationException>(() => Broker.ReloadAccess(Configure(new MqttBrokerOptions())));
        bob.ExpectNothing();
        File.WriteAllText(_users, good.Split('\n')[0]);
        Broker.ReloadAccess(Configure(new MqttBrokerOptions()));
        Assert.Equal("Disconnect NotAuthorized", bob.Receive());
        using var again = RawClient.Connect(
            Address, "b", MqttVersion.V500, user: "bob", password: "hidden", expect: "ConnAck BadUserNameOrPassword");
    }

    [Fact]
    public void SessionOfAnotherUser_IsNotInherited()
    {
        using (var ann = RawClient.Connect(Address, "same", MqttVersion.V500, clean: false, expiry: 100, user: "ann", password: "secret"))
        {
            ann.Subscribe("t", options: 1);
        }
        using var bob = RawClient.Connect(Address, "same", MqttVersion.V500, clean: false, expiry: 100, user: "bob", password: "hidden");
        bob.Publish("t", "x", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 NoMatchingSubscribers", bob.Receive());
    }
}
