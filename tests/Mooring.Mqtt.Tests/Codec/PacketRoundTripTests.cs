using System.Buffers;
using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Codec;

public sealed class PacketRoundTripTests
{
    [Theory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V500)]
    public void Random_publishes_come_back_as_written(MqttVersion version)
    {
        var random = new Random(7);
        for (var round = 0; round < 1000; round++)
        {
            var topic = Encoding.UTF8.GetBytes($"topic/{random.Next()}/ä€😀");
            var payload = new byte[random.Next(0, 20_000)];
            random.NextBytes(payload);
            var qos = (QualityOfService)random.Next(3);
            var id = qos == QualityOfService.AtMostOnce ? (ushort)0 : (ushort)random.Next(1, 65536);
            var flags = (byte)((int)qos << 1 | random.Next(2) | (qos > 0 ? random.Next(2) << 3 : 0));
            var properties = new PropertyWriter();
            if (version == MqttVersion.V500)
            {
                properties.WriteUInt32(PropertyId.MessageExpiryInterval, (uint)random.Next());
                properties.WriteUserProperty($"n{round}", "value");
                properties.WriteBinary(PropertyId.CorrelationData, payload.AsSpan(0, Math.Min(payload.Length, 300)));
            }

            var output = new ArrayBufferWriter<byte>();
            MqttPackets.WritePublish(output, version, flags, topic, id, properties.Written, payload);

            Assert.Equal(FrameReadResult.Frame, MqttFraming.TryRead(output.WrittenSpan, 1 << 20, out var frame));
            var view = PublishView.Read(frame, version);
            Assert.Equal(output.WrittenCount, frame.Length);
            Assert.Equal(flags, view.Flags);
            Assert.Equal(id, view.PacketId);
            Assert.True(view.Topic.SequenceEqual(topic));
            Assert.True(view.Payload.SequenceEqual(payload));
            Assert.True(view.Properties.Raw.SequenceEqual(properties.Written));
        }
    }

    [Fact]
    public void Connect_with_everything_comes_back_as_written()
    {
        var properties = new PropertyWriter();
        properties.WriteUInt32(PropertyId.SessionExpiryInterval, 60);
        var will = new PropertyWriter();
        will.WriteUInt32(PropertyId.WillDelayInterval, 5);
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteConnect(output, new ConnectFields
        {
            Version = MqttVersion.V500,
            CleanStart = true,
            KeepAliveSeconds = 15,
            Properties = properties.Written,
            ClientId = "client"u8,
            HasWill = true,
            WillQualityOfService = QualityOfService.ExactlyOnce,
            WillRetain = true,
            WillProperties = will.Written,
            WillTopic = "gone"u8,
            WillPayload = "bye"u8,
            HasUserName = true,
            UserName = "user"u8,
            HasPassword = true,
            Password = "word"u8,
        });

        Assert.Equal(FrameReadResult.Frame, MqttFraming.TryRead(output.WrittenSpan, 1 << 20, out var frame));
        Assert.Equal(
            "Connect V500 clean keep=15 id=client props=110000003C will=gone:627965:q2r user=user password=776F7264",
            PacketDump.Of(frame, MqttVersion.V500));
    }

    [Theory]
    [InlineData(0x00, 4, "PubRec id=300 Success")]
    [InlineData(0x97, 5, "PubRec id=300 QuotaExceeded")]
    public void Acks_take_their_short_form_when_they_can(byte code, int length, string expected)
    {
        var reason = (MqttReasonCode)code;
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteAck(output, MqttPacketType.PubRec, MqttVersion.V500, 300, reason);
        Assert.Equal(length, output.WrittenCount);
        MqttFraming.TryRead(output.WrittenSpan, 100, out var frame);
        Assert.Equal(expected, PacketDump.Of(frame, MqttVersion.V500));
    }

    [Theory]
    [InlineData(0u, "00")]
    [InlineData(127u, "7F")]
    [InlineData(128u, "8001")]
    [InlineData(16383u, "FF7F")]
    [InlineData(16384u, "808001")]
    [InlineData(2097151u, "FFFF7F")]
    [InlineData(2097152u, "80808001")]
    [InlineData(268435455u, "FFFFFF7F")]
    public void MQTT_1_5_5_variable_byte_integers_take_their_shortest_form(uint value, string hex)
    {
        var bytes = new byte[4];
        var length = VariableByteInteger.Write(bytes, value);
        Assert.Equal(hex, Convert.ToHexString(bytes.AsSpan(0, length)));
        Assert.Equal(length, VariableByteInteger.LengthOf(value));
        Assert.Equal(VariableByteIntegerStatus.Done, VariableByteInteger.TryRead(bytes, out var read, out var consumed));
        Assert.Equal((value, length), (read, consumed));
    }

    [Fact]
    public void Forwardable_properties_keep_their_order_and_leave_the_rest_behind()
    {
        var properties = new PropertyWriter();
        properties.WriteUserProperty("b", "1");
        properties.WriteUInt32(PropertyId.MessageExpiryInterval, 9);
        properties.WriteText(PropertyId.ContentType, "text/plain");
        properties.WriteUInt16(PropertyId.TopicAlias, 3);
        properties.WriteUserProperty("a", "2");
        var output = new ArrayBufferWriter<byte>();
        PropertyBlock.Validate(properties.Written, MqttPacketType.Publish).CopyForwardable(output);

        var kept = new List<string>();
        for (var reader = PropertyBlock.AlreadyValid(output.WrittenSpan).Read(); reader.MoveNext();)
        {
            kept.Add($"{reader.Id}:{Encoding.UTF8.GetString(reader.Bytes)}");
        }

        Assert.Equal(["UserProperty:b", "ContentType:text/plain", "UserProperty:a"], kept);
    }
}
