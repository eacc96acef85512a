using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>Bursts that are larger than the bound of a connection's output, to subscribers that do take their messages.</summary>
public sealed class BurstTests : BrokerTest
{
    private const int Messages = 200;

    protected override MqttBrokerLimits Limits => new() { OutboundBufferBytes = 4096 };

    protected override MqttBrokerOptions Configure(MqttBrokerOptions options) => options with
    {
        Listeners =
        [
            new IPEndPoint(IPAddress.Loopback, 0),
            new MqttListener { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Transport = MqttTransport.WebSocket },
        ],
    };

    [Fact]
    public void BurstInOneWrite_IsNoSlowConsumer()
    {
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("t");
        using var publisher = RawClient.Connect(Address, "p");
        var burst = new ArrayBufferWriter<byte>();
        for (var i = 0; i < Messages; i++)
        {
            MqttPackets.WritePublish(burst, MqttVersion.V311, 0, "t"u8, 0, default, Encoding.ASCII.GetBytes(i.ToString("D100", CultureInfo.InvariantCulture)));
        }

        publisher.Send(burst.WrittenSpan);
        for (var i = 0; i < Messages; i++) Assert.StartsWith("Publish q0 topic=t", subscriber.Receive(), StringComparison.Ordinal);
        Assert.Equal(0, Broker.Counters.DroppedByReason().Values.Sum());
    }

    [Fact]
    public async Task ManyThreadsOfTheProcessPublishWhileTheLoopIsBusy_NothingStaysBehind()
    {
        using var subscriber = RawClient.Connect(Address, "s");
        subscriber.Subscribe("in/+", options: 1);
        using var busy = RawClient.Connect(Address, "busy");
        var publishing = Enumerable.Range(0, 4).Select(number => Task.Run(
            async () =>
            {
                await using var client = Broker.CreateClient($"c{number}");
                await client.StartAsync(TestTimeout);
                for (var i = 0; i < Messages; i++)
                {
                    await client.PublishAsync(
                        new MqttMessage { Topic = $"in/{number}", QualityOfService = QualityOfService.AtLeastOnce }, TestTimeout);
                }
            },
            TestTimeout)).ToArray();
        for (var i = 0; i < Messages; i++) busy.ExpectNothing();
        for (var i = 0; i < 4 * Messages; i++)
        {
            var packet = subscriber.Receive();
            Assert.StartsWith("Publish q1", packet, StringComparison.Ordinal);
            subscriber.Ack(MqttPacketType.PubAck, ushort.Parse(packet.Split("id=")[1].Split(' ')[0], CultureInfo.InvariantCulture));
        }

        await Task.WhenAll(publishing);
        subscriber.ExpectNothing();
    }
}
