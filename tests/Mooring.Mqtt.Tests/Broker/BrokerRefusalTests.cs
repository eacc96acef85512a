using Mooring.Mqtt.Broker;

namespace Mooring.Mqtt.Tests.Broker;

public sealed class BrokerRefusalTests : BrokerTest
{
    protected override MqttBrokerLimits Limits => new() { MaximumPacketBytes = 1000, InboundReceiveMaximum = 2 };

    [Theory]
    [InlineData("C000", "closed")] // first packet is not CONNECT
    [InlineData("101000044D5154540602003C000474657374", "ConnAck UnsupportedProtocolVersion")]
    [InlineData("100C00044D5154540400003C0000", "ConnAck ClientIdentifierNotValid")] // MQTT-3.1.3-8
    [InlineData("101000044D5154580402003C000474657374", "closed")] // wrong protocol name
    [InlineData("30FFFFFF7F", "closed")] // announces 256 MiB before CONNECT
    public void Bad_first_packet_is_refused_and_the_connection_closes(string hex, string expected)
    {
        var version = expected.Contains("Unsupported", StringComparison.Ordinal) ? MqttVersion.V500 : MqttVersion.V311;
        using var client = new RawClient(Address, version);
        client.SendHex(hex);
        var answer = client.Receive();
        Assert.StartsWith(expected, answer, StringComparison.Ordinal);
        if (answer != "closed")
        {
            Assert.Equal("closed", client.Receive());
        }
    }

    [Theory]
    [InlineData("101100044D5154540502003C00000474657374", "Disconnect ProtocolError")] // second CONNECT
    [InlineData("2003000000", "Disconnect ProtocolError")] // a server's packet
    [InlineData("F000", "Disconnect ProtocolError")] // AUTH without a method
    [InlineData("36050001616263", "Disconnect MalformedPacket")] // QoS 3
    [InlineData("300500016105AA", "Disconnect MalformedPacket")] // property length that lies
    [InlineData("30070001230000AABB", "Disconnect TopicNameInvalid")] // wildcard in a topic name
    [InlineData("3003000000", "Disconnect ProtocolError")] // no topic, no alias
    [InlineData("30FFFF03", "Disconnect PacketTooLarge")]
    [InlineData("40020000", "Disconnect MalformedPacket")] // packet id 0
    [InlineData("82070001000001610F", "Disconnect MalformedPacket")] // subscription QoS 3
    public void Bad_packet_of_a_connected_client_is_named_and_nobody_else_notices(string hex, string expected)
    {
        using var neighbour = RawClient.Connect(Address, "n");
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        client.SendHex(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(expected, client.Receive());
        Assert.Equal("closed", client.Receive());
        neighbour.ExpectNothing();
    }

    [Fact]
    public void More_unreleased_QoS_2_messages_than_allowed_end_the_connection()
    {
        using var client = RawClient.Connect(Address, "c", MqttVersion.V500);
        for (ushort id = 1; id <= 2; id++)
        {
            client.Publish("t", "x", qos: 2, id);
            Assert.StartsWith($"PubRec id={id}", client.Receive(), StringComparison.Ordinal);
        }

        client.Publish("t", "x", qos: 2, id: 1);
        Assert.StartsWith("PubRec id=1", client.Receive(), StringComparison.Ordinal);
        client.Publish("t", "x", qos: 2, id: 3);
        Assert.Equal("Disconnect ReceiveMaximumExceeded", client.Receive());
    }

    [Fact]
    public void Silent_connection_is_closed_at_the_CONNECT_deadline()
    {
        using var client = new RawClient(Address, MqttVersion.V311);
        using var other = RawClient.Connect(Address, "o");
        Broker.Tick(Broker.Now + 10_000);
        Assert.Equal("closed", client.Receive());
    }

    [Fact]
    public void Thousand_connections_of_random_bytes_leave_the_broker_serving()
    {
        var random = new Random(42);
        var bytes = new byte[64];
        for (var round = 0; round < 1_000; round++)
        {
            using var client = new RawClient(Address, MqttVersion.V311);
            if (round % 2 == 0)
            {
                client.SendHex("101000044D5154540402003C000474657374");
            }

            for (var piece = 0; piece < 10; piece++)
            {
                random.NextBytes(bytes);
                try
                {
                    client.Send(bytes.AsSpan(0, random.Next(1, bytes.Length)));
                }
                catch (System.Net.Sockets.SocketException)
                {
                    break;
                }
            }
        }

        using var survivor = RawClient.Connect(Address, "survivor");
        survivor.ExpectNothing();
    }
}
