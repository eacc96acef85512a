using System.Buffers;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Client.Connections;
using Mooring.Mqtt.Client.Sessions;
using Mooring.Mqtt.Client.Transports;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>Brokers that send what they may not, and noise.</summary>
public sealed class HostileBrokerTests : ClientTest
{
    private const int Streams = 10_000;

    [Theory]
    [InlineData("00", "MalformedPacket")]
    [InlineData("0F00", "MalformedPacket")]
    [InlineData("30FFFFFFFF7F", "MalformedPacket")]
    [InlineData("308000", "MalformedPacket")]
    [InlineData("30FFFFFF7F", "PacketTooLarge")]
    [InlineData("90FFFFFF7F", "PacketTooLarge")]
    [InlineData("36050001610001", "MalformedPacket")]
    [InlineData("3803000161", "MalformedPacket")]
    [InlineData("3205000161" + "0000", "MalformedPacket")]
    [InlineData("3003000161", "MalformedPacket")]
    [InlineData("3002FFFF", "MalformedPacket")]
    [InlineData("30050002C08000", "MalformedPacket")]
    [InlineData("300400010000", "MalformedPacket")]
    [InlineData("300400012300", "TopicNameInvalid")]
    [InlineData("300400012B00", "TopicNameInvalid")]
    [InlineData("30050001610180", "MalformedPacket")]
    [InlineData("300600016102" + "0102", "ProtocolError")]
    [InlineData("300600016102" + "7F00", "MalformedPacket")]
    [InlineData("300800016104" + "01010101", "ProtocolError")]
    [InlineData("30080001610411000000" + "00", "MalformedPacket")]
    [InlineData("300600016102" + "0B00", "ProtocolError")]
    [InlineData("40020000", "MalformedPacket")]
    [InlineData("400100", "MalformedPacket")]
    [InlineData("42020001", "MalformedPacket")]
    [InlineData("4003000101", "ProtocolError")]
    [InlineData("400500010000FF", "MalformedPacket")]
    [InlineData("60020001", "MalformedPacket")]
    [InlineData("62020000", "MalformedPacket")]
    [InlineData("9003000100", "MalformedPacket")]
    [InlineData("B003000100", "MalformedPacket")]
    [InlineData("D00100", "MalformedPacket")]
    [InlineData("D100", "MalformedPacket")]
    [InlineData("E00101", "ProtocolError")]
    [InlineData("2003000000", "ProtocolError")]
    [InlineData("100C00044D5154540402003C0000", "ProtocolError")]
    [InlineData("8206000100000161" + "00", "ProtocolError")]
    [InlineData("A20600010000" + "0161", "ProtocolError")]
    [InlineData("C000", "ProtocolError")]
    [InlineData("F000", "ProtocolError")]
    public async Task PacketThatMayNotBe_EndsTheConnectionWithItsReason_AndTheNextOneWorks(string hex, string reason)
    {
        var (broker, client, connection) = await StartAsync(MqttVersion.V500);
        var waiting = Moves(client, LinkState.Waiting);
        await connection.SendAsync(hex);
        await connection.ExpectAsync($"Disconnect {reason}", "closed");
        Assert.StartsWith("protocol error: ", (await waiting.ReadAsync(TestTimeout)).Reason, StringComparison.Ordinal);
        await LoggedAsync(2005);
        await connection.CloseAsync();
        var next = await broker.ConnectAsync(TestTimeout);
        await client.PublishAsync(Message("t", "x", 0), TestTimeout);
        await next.ExpectAsync("Publish q0 topic=t payload=78");
    }

    [Theory]
    [InlineData("30FFFFFF7F")]
    [InlineData("E000")]
    [InlineData("F000")]
    [InlineData("20020000")]
    [InlineData("40030001" + "00")]
    [InlineData("9003000103")]
    [InlineData("B003000100")]
    public async Task Version3_ClosesWithoutAWord_SoThatTheWillIsPublished(string hex)
    {
        var (broker, _, connection) = await StartAsync(MqttVersion.V311);
        await connection.SendAsync(hex);
        await connection.ExpectAsync("closed");
        await connection.CloseAsync();
        await broker.ConnectAsync(TestTimeout);
    }

    [Fact]
    public async Task Acknowledgements_OfTheWrongKind_EndTheConnection_UnknownOnesAreIgnored()
    {
        foreach (var (qos, hex) in ((int, string)[])[(1, "50020001"), (1, "70020001"), (2, "40020001"), (2, "70020001"), (1, "9004000100" + "00")])
        {
            var (broker, client, connection) = await StartAsync(Persistent(MqttVersion.V500));
            var publishing = client.PublishAsync(Message("t", "x", qos), TestTimeout);
            await connection.ReceiveAsync();
            await connection.SendAsync("40027000" + "70027000");
            await connection.SendAsync("50027000");
            await connection.ExpectAsync("PubRel id=28672 PacketIdentifierNotFound");
            await connection.SendAsync(hex);
            await connection.ExpectAsync("Disconnect ProtocolError", "closed");
            await connection.CloseAsync();
            var next = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
            await next.ExpectAsync($"Publish q{qos} dup topic=t id=1 payload=78");
            await next.AckAsync(qos == 1 ? MqttPacketType.PubAck : MqttPacketType.PubRec, 1, MqttReasonCode.QuotaExceeded);
            await Assert.ThrowsAsync<MqttRefusedException>(async () => await publishing);
        }
    }

    [Fact]
    public async Task AnnouncedLength_IsNotAllocated()
    {
        var (_, client, connection) = await StartAsync(
            Options with { Limits = Options.Limits with { MaximumPacketBytes = 200_000_000 } });
        // 190 MB announced, one byte sent.
        await connection.SendAsync("30809ACD5A00");
        var before = GC.GetTotalAllocatedBytes();
        await client.PublishAsync(Message("t", "x", 0), TestTimeout);
        await connection.ExpectAsync("Publish q0 topic=t payload=78");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50_000_000);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task TenThousandStreams_OfNoiseAndOfBrokenPackets_EndEachConnectionWithAReason(MqttVersion version)
    {
        var options = Options with { Version = version, Limits = Options.Limits with { CloseTimeout = TimeSpan.Zero, InboundTopicAliases = 4 } };
        var log = new ClientLog(LoggerFactory.CreateLogger("fuzz"));
        var session = new ClientSession(options, log);
        var inbox = new Inbox(options.Limits, TimeProvider.System, log);
        var handling = new Dispatcher(new MqttClient(options), session, inbox, log);
        var dispatching = handling.RunAsync();
        session.Subscribe(new MqttSubscription("#"), (_, _) => default);
        for (var seed = 0; seed < Streams; seed++)
        {
            var stream = new NoiseStream(Noise(seed, version));
            var connection = new ClientConnection(
                session, inbox, new ClientTransport(stream, _ => default), TimeProvider.System, log);
            var pending = session.Idle.Take();
            pending.Fill(Message("t", "x", seed % 3), version, completesWhenQueued: true);
            session.Add(pending);
            var end = await ServeAsync(connection);
            Assert.False(string.IsNullOrEmpty(end.Reason), $"seed {seed}");
        }
        session.Stop(new OperationCanceledException("end of the test"));
        handling.Stop();
        await dispatching;
        // An error that was not foreseen would have been logged with this id.
        Assert.DoesNotContain(Log.Entries, entry => entry.Event.Id == 2008);
    }

    private async Task<LinkEnd> ServeAsync(ClientConnection connection)
    {
        try
        {
            var connack = await connection.ShakeHandsAsync("c", cleanStart: true, TestTimeout);
            return await connection.RunAsync(connack, () => { }, TestTimeout);
        }
        catch (Exception e) when (e is MqttProtocolException or MqttRefusedException or IOException)
        {
            await connection.AbandonAsync();
            return LinkEnd.Retry(e.Message);
        }
    }

    /// <summary>CONNACK and valid packets of a broker, some bytes of which are changed, cut, doubled or random.</summary>
    private static byte[] Noise(int seed, MqttVersion version)
    {
        var random = new Random(seed);
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteConnAck(output, version, sessionPresent: false, MqttReasonCode.Success, default);
        for (var i = random.Next(12); i > 0; i--) WritePacket(output, random, version);
        var bytes = output.WrittenSpan.ToArray();
        switch (random.Next(5))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                random.NextBytes(bytes.AsSpan(random.Next(bytes.Length)));
                return bytes;
            case 2:
                return bytes;
            default:
                for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
        }
    }

    private static void WritePacket(ArrayBufferWriter<byte> output, Random random, MqttVersion version)
    {
        var id = (ushort)random.Next(1, 5);
        var qos = random.Next(3);
        switch (random.Next(8))
        {
            case 0:
                MqttPackets.WriteCodes(output, MqttPacketType.SubAck, version, id, [(byte)qos]);
                break;
            case 1:
                MqttPackets.WriteAck(output, (MqttPacketType)random.Next(4, 8), version, id);
                break;
            case 2:
                MqttPackets.WriteCodes(output, MqttPacketType.UnsubAck, version, id, [0]);
                break;
            case 3:
                output.Write(MqttPackets.PingResp);
                break;
            case 4 when version == MqttVersion.V500:
                var properties = new PropertyWriter();
                properties.WriteUInt16(PropertyId.TopicAlias, (ushort)random.Next(6));
                properties.WriteUserProperty("k", "v");
                MqttPackets.WritePublish(output, version, (byte)(qos << 1), random.Next(2) == 0 ? default : "a/b"u8, id, properties.Written, "payload"u8);
                break;
            default:
                MqttPackets.WritePublish(output, version, (byte)(qos << 1), "a/b"u8, id, default, "payload"u8);
                break;
        }
    }

    /// <summary>Reads as given, then ends; swallows what is written.</summary>
    private sealed class NoiseStream(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public override bool CanWrite => true;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;
    }
}
