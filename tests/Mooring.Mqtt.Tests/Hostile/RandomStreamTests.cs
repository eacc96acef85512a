using System.Net.Sockets;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Mqtt.Tests.Codec;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Hostile;

/// <summary>Ten thousand random and mutated byte streams for each version on a live listener, beside a neighbour that must lose nothing.</summary>
public sealed class RandomStreamTests : BrokerTest
{
    private const int Streams = 10_000;
    private const int Seed = 20261122;

    private static readonly string[] Connects =
    [
        "101000044D5154540402003C000474657374", "101100044D5154540502003C00000474657374",
    ];

    [Theory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V500)]
    public void TenThousandStreams_LeaveTheNeighboursMessagesAndNothingElse(MqttVersion version)
    {
        using var neighbour = RawClient.Connect(Address, "neighbour", MqttVersion.V311, expect: "ConnAck Success");
        neighbour.Subscribe("neighbour/own", 1);
        var random = new Random(Seed + (int)version);
        var bodies = Vector.All.Where(vector => vector.Version == version && vector.Bytes[0] >> 4 != 1).Select(vector => vector.Bytes).ToArray();
        for (var round = 0; round < Streams; round++)
        {
            Send(version, bodies, random);
            if (round % 500 != 0) continue;
            neighbour.Publish("neighbour/own", "x", qos: 1, id: 7);
            string[] both = [neighbour.Receive(), neighbour.Receive()];
            Assert.Contains("PubAck id=7 Success", both);
            var id = both.Single(packet => packet.StartsWith("Publish q1 topic=neighbour/own", StringComparison.Ordinal)).Split(' ')[3][3..];
            neighbour.Ack(Mooring.Mqtt.Codec.MqttPacketType.PubAck, ushort.Parse(id, System.Globalization.CultureInfo.InvariantCulture));
        }

        neighbour.ExpectNothing();
        using var survivor = RawClient.Connect(Address, "survivor", version);
        survivor.ExpectNothing();
        // Of all those connections only the two are left, once the ends of the last ones have been seen.
        Eventually.True(() => Broker.Connections == 2, "2 connections");
        Assert.InRange(Broker.Sessions, 2, Streams);
        Assert.Equal(0, Broker.Counters.QueuedBytes);
    }

    private void Send(MqttVersion version, byte[][] bodies, Random random)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(Address);
        var bytes = new List<byte>();
        if (random.Next(4) > 0) bytes.AddRange(Convert.FromHexString(Connects[version == MqttVersion.V500 ? 1 : 0]));
        for (var packets = random.Next(1, 6); packets > 0; packets--)
        {
            var packet = random.Next(3) == 0 ? new byte[random.Next(1, 48)] : (byte[])bodies[random.Next(bodies.Length)].Clone();
            if (packet.All(value => value == 0)) random.NextBytes(packet);
            for (var flips = random.Next(3); flips > 0; flips--) packet[random.Next(packet.Length)] = (byte)random.Next(256);
            bytes.AddRange(random.Next(8) == 0 ? packet[..random.Next(1, packet.Length + 1)] : packet);
        }
        try
        {
            socket.Send(bytes.ToArray());
        }
        catch (SocketException)
        {
            // Refused in the middle of it.
        }
    }
}
