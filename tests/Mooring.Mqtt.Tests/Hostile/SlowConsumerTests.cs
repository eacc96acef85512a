using System.Net.Sockets;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Hostile;

/// <summary>Clients that do not take, or do not acknowledge, what they asked for: what the broker holds for them is counted here.</summary>
public class SlowConsumerTests : BrokerTest
{
    private const int PayloadBytes = 60_000;
    private static readonly string Payload = new('x', PayloadBytes);

    protected override MqttBrokerLimits Limits => new()
    {
        OutboundBufferBytes = 200_000, QueuedMessages = 50, QueuedBytes = 1_000_000, OutboundWindowMaximum = 1000,
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void SubscriberThatNeverReads_CostsABufferAndAQueue_AndItsNeighbourGetsEverything(int qos)
    {
        using var deaf = RawClient.Connect(Address, "deaf", MqttVersion.V500, clean: true, receiveMaximum: 60_000, receiveBuffer: 4096);
        deaf.Subscribe("t", qos);
        using var neighbour = RawClient.Connect(Address, "neighbour");
        neighbour.Subscribe("t");
        using var publisher = RawClient.Connect(Address, "publisher");
        const int messages = 1000;
        for (var i = 0; i < messages; i++)
        {
            publisher.Publish("t", Payload, qos: 1, id: 1);
            Assert.Equal("PubAck id=1 Success", publisher.Receive());
            Assert.StartsWith("Publish q0 topic=t", neighbour.Receive(), StringComparison.Ordinal);
            var view = Broker.View.Client("deaf")!;
            Assert.InRange(view.UnsentBytes, 0, Limits.OutboundBufferBytes + (2 * PayloadBytes));
            Assert.InRange(view.Waiting, 0, Limits.QueuedMessages);
            Assert.InRange(Broker.Counters.QueuedBytes, 0, Limits.QueuedBytes);
        }
        var dropped = Broker.View.Statistics().Dropped;
        Assert.InRange(qos == 0 ? dropped["slow consumer"] : dropped["queue full"], 800, messages);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void SubscriberThatNeverAcknowledges_IsSentNoMoreThanItsQueueMayHold(int qos)
    {
        using var silent = RawClient.Connect(Address, "silent", MqttVersion.V500, receiveMaximum: 60_000);
        silent.Subscribe("t", qos);
        using var publisher = RawClient.Connect(Address, "publisher");
        var received = 0;
        for (var i = 0; i < 200; i++)
        {
            publisher.Publish("t", Payload, qos: 2, id: 1);
            Assert.Equal("PubRec id=1 Success", publisher.Receive());
            publisher.Ack(MqttPacketType.PubRel, 1);
            Assert.Equal("PubComp id=1 Success", publisher.Receive());
            silent.Send(MqttPackets.PingReq);
            while (silent.Receive() != "PingResp") received++;
        }
        Assert.InRange(received, 1, (int)(Limits.QueuedBytes / PayloadBytes) + 1);
        Assert.InRange(Broker.Counters.QueuedBytes, 1, Limits.QueuedBytes);
    }

    [Fact]
    public void WhatWaitedForASlowClient_ArrivesInOrder_OnceItReads()
    {
        using var slow = RawClient.Connect(Address, "slow", MqttVersion.V500, receiveMaximum: 1000, receiveBuffer: 4096);
        slow.Subscribe("t", 1);
        using var publisher = RawClient.Connect(Address, "publisher");
        for (var i = 100; i < 120; i++)
        {
            publisher.Publish("t", i + Payload, qos: 1, id: 1);
            Assert.Equal("PubAck id=1 Success", publisher.Receive());
        }
        for (ushort i = 100; i < 120; i++)
        {
            var packet = slow.Receive();
            Assert.Contains($"payload=3{i / 100}3{i / 10 % 10}3{i % 10}", packet, StringComparison.Ordinal);
            slow.Ack(MqttPacketType.PubAck, (ushort)(i - 99));
        }
        slow.ExpectNothing();
        Assert.Equal(0, Broker.Counters.QueuedBytes);
    }

    [Fact]
    public void ClientThatTakesNothingForLong_IsClosed_AndItsSessionKeepsItsMessages()
    {
        using var deaf = RawClient.Connect(Address, "deaf", MqttVersion.V500, clean: false, expiry: 100, receiveBuffer: 4096);
        deaf.Subscribe("t", 0);
        deaf.Subscribe("kept", 1);
        using var publisher = RawClient.Connect(Address, "publisher");
        publisher.Publish("kept", "x", qos: 1, id: 1);
        Assert.Equal("PubAck id=1 Success", publisher.Receive());
        for (var second = 0; second < 500 && Broker.View.Client("deaf")!.IsConnected; second++)
        {
            // The kernel's own buffers grow for a while.
            while (Broker.View.Client("deaf") is { IsConnected: true } view && view.UnsentBytes <= Limits.OutboundBufferBytes)
            {
                publisher.Publish("t", Payload);
                publisher.ExpectNothing();
            }
            Broker.Tick(Broker.Now);
        }
        Assert.False(Broker.View.Client("deaf")!.IsConnected);
        using var back = RawClient.Connect(Address, "deaf", MqttVersion.V500, clean: false, expiry: 100, expect: "ConnAck present");
        Assert.Contains("topic=kept", back.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void HalfOpenConnection_EndsWithItsKeepAlive_AndItsWillIsPublished()
    {
        using var watcher = RawClient.Connect(Address, "watcher");
        watcher.Subscribe("will");
        using var vanished = RawClient.Connect(Address, "vanished", MqttVersion.V500, keepAlive: 10, will: "will");
        Broker.Tick(Broker.Now + 14_000);
        watcher.ExpectNothing();
        Broker.Tick(Broker.Now + 16_000);
        Assert.Equal("Publish q0 topic=will payload=676F6E65", watcher.Receive());
        Assert.Null(Broker.View.Client("vanished"));
    }

    // Reading stops at 1 MiB unsent; until that is seen, all that a transport has read ahead (1 MiB and one segment) is acknowledged, 4 bytes for 7.
    private const int AcknowledgementBytesMax = (1024 * 1024) + (((1024 * 1024) + (64 * 1024)) * 4 / 7);

    [Fact]
    public void PublisherThatNeverReadsItsAcknowledgements_IsNotReadAnyMore()
    {
        using var neighbour = RawClient.Connect(Address, "neighbour");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        socket.Connect(Address);
        socket.Send(Convert.FromHexString("101000044D5154540402003C000474657374"));
        var batch = Enumerable.Repeat<byte[]>([0x32, 5, 0, 1, (byte)'t', 0, 1], 5000).SelectMany(bytes => bytes).ToArray();
        socket.Blocking = false;
        var full = 0;
        long sent = 0;
        // Until the kernel's buffers are full as well, several times in a row: then nobody reads any more.
        while (full < 50 || Broker.View.Client("test") is not { UnsentBytes: > 1_000_000 })
        {
            try
            {
                sent += socket.Send(batch.AsSpan((int)(sent % batch.Length)), SocketFlags.None);
                full = 0;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
            {
                full++;
                neighbour.ExpectNothing();
            }
            Assert.InRange(Broker.View.Client("test")?.UnsentBytes ?? 0, 0, AcknowledgementBytesMax);
            Assert.InRange(sent, 0, 200_000_000);
        }
        Assert.InRange(Broker.View.Client("test")!.UnsentBytes, 1, AcknowledgementBytesMax);
    }

    [Fact]
    public void ExpiredSession_GivesItsQueueBack()
    {
        using (var away = RawClient.Connect(Address, "away", MqttVersion.V500, clean: false, expiry: 10))
        {
            away.Subscribe("t", 1);
        }
        Eventually.True(() => !Broker.View.Client("away")!.IsConnected, "the end of the connection of away");
        using var publisher = RawClient.Connect(Address, "publisher");
        for (var i = 0; i < 10; i++)
        {
            publisher.Publish("t", Payload, qos: 1, id: 1);
            Assert.Equal("PubAck id=1 Success", publisher.Receive());
        }
        Assert.InRange(Broker.Counters.QueuedBytes, 10 * PayloadBytes, Limits.QueuedBytes);
        Broker.Tick(Broker.Now + 11_000);
        Assert.Equal(0, Broker.Counters.QueuedBytes);
        Assert.Equal(1, Broker.Sessions);
    }
}
