using Mooring.Mqtt.Codec;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>When a will is published, when later, and when never (MQTT-3.1.2.5, 3.1.3.2).</summary>
public sealed class WillTests : BrokerTest
{
    private const string Gone = "Publish q0 topic=will payload=676F6E65";

    [Fact]
    public void DisconnectWithWill_PublishesIt()
    {
        using var watcher = Watcher();
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500, will: "will");
        client.Leave(MqttReasonCode.DisconnectWithWill);
        Assert.Equal(Gone, watcher.Receive());
    }

    [Theory]
    [InlineData(0, "Publish q0 topic=will payload=676F6E65")]
    [InlineData(1, "Publish q1 topic=will id=1 payload=676F6E65")]
    [InlineData(2, "Publish q2 topic=will id=1 payload=676F6E65")]
    public void Will_HasItsQos(int qos, string expected)
    {
        using var watcher = Watcher(2);
        RawClient.Connect(Address, "c", will: "will", willQos: qos).Dispose();
        Assert.Equal(expected, watcher.Receive());
    }

    [Fact]
    public void RetainedWill_IsKept_WithItsExpiryFromPublicationOn()
    {
        using var watcher = Watcher();
        RawClient.Connect(Address, "c", MqttVersion.V500, will: "will", willRetain: true, willExpiry: 50).Dispose();
        Assert.Equal(Gone, watcher.Receive());
        using var late = RawClient.Connect(Address, "l", MqttVersion.V500);
        late.Subscribe("will");
        Assert.Equal("Publish q0 retain topic=will props=0200000032 payload=676F6E65", late.Receive());
    }

    [Fact]
    public void DelayedWill_WaitsForItsDelay()
    {
        using var watcher = Watcher();
        RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, will: "will", willDelay: 50).Dispose();
        Left(1);
        Broker.Tick(Broker.Now + 40_000);
        watcher.ExpectNothing();
        Broker.Tick(Broker.Now + 51_000);
        Assert.Equal(Gone, watcher.Receive());
        Broker.Tick(Broker.Now + 101_000);
        watcher.ExpectNothing();
    }

    [Fact]
    public void DelayBeyondTheSessionsEnd_EndsWithIt()
    {
        using var watcher = Watcher();
        RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 10, will: "will", willDelay: 5000).Dispose();
        Left(1);
        Broker.Tick(Broker.Now + 11_000);
        Assert.Equal(Gone, watcher.Receive());
        Assert.Equal(1, Broker.Sessions);
    }

    [Fact]
    public void DelayOfASessionWithoutExpiry_IsVoid()
    {
        using var watcher = Watcher();
        RawClient.Connect(Address, "c", MqttVersion.V500, will: "will", willDelay: 50).Dispose();
        Assert.Equal(Gone, watcher.Receive());
    }

    [Fact]
    public void CleanStart_EndsTheOldSession_AndPublishesItsDelayedWill()
    {
        using var watcher = Watcher();
        RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, will: "will", willDelay: 50).Dispose();
        Left(1);
        using var anew = RawClient.Connect(Address, "c", MqttVersion.V500, clean: true);
        Assert.Equal(Gone, watcher.Receive());
    }

    [Theory]
    [InlineData(false, 0u, true)]
    [InlineData(false, 50u, false)]
    [InlineData(true, 50u, true)]
    public void Takeover_PublishesTheWill_UnlessItIsDelayedAndTheSessionGoesOn(bool clean, uint delay, bool isPublished)
    {
        using var watcher = Watcher();
        using var first = RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, will: "will", willDelay: delay);
        using var second = RawClient.Connect(Address, "c", MqttVersion.V500, clean, expiry: 100, expect: "ConnAck");
        Assert.Equal("Disconnect SessionTakenOver", first.Receive());
        if (isPublished) Assert.Equal(Gone, watcher.Receive());
        Broker.Tick(Broker.Now + 60_000);
        watcher.ExpectNothing();
    }

    [Fact]
    public void SecondWill_TakesThePlaceOfTheFirst()
    {
        using var watcher = Watcher();
        RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, will: "other", willDelay: 50).Dispose();
        Left(1);
        using (RawClient.Connect(Address, "c", MqttVersion.V500, clean: false, expiry: 100, will: "will", willDelay: 50, expect: "ConnAck present"))
        {
        }
        Left(1);
        Broker.Tick(Broker.Now + 51_000);
        Assert.Equal(Gone, watcher.Receive());
        watcher.ExpectNothing();
    }

    [Fact]
    public void WillToAServerOwnedTopic_IsRefusedAtConnect()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500, will: "$SYS/x", expect: "ConnAck NotAuthorized");
        Assert.Equal("closed", client.Receive());
    }

    /// <summary>Waits until the broker has seen the end of all connections but these.</summary>
    private void Left(int connections) => Eventually.True(() => Broker.Connections == connections, $"{connections} connections");

    private RawClient Watcher(int qos = 0)
    {
        var watcher = RawClient.Connect(Address, "w");
        watcher.Subscribe("will", qos);
        watcher.Subscribe("other", qos);
        return watcher;
    }
}
