using System.Buffers;
using System.Globalization;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Codec;

public sealed class PacketVectorTests
{
    private const int Limit = 1024 * 1024;

    public static TheoryData<int> Indexes => [.. Enumerable.Range(0, Vector.All.Count)];

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Vector_is_read_as_written_down(int index)
    {
        var vector = Vector.All[index];
        Assert.Equal(vector.Expected, Read(vector.Bytes, vector.Version));
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Every_cut_needs_more_and_consumes_nothing(int index)
    {
        var vector = Vector.All[index];
        if (vector.Expected.StartsWith('!'))
        {
            return;
        }

        for (var cut = 0; cut < vector.Bytes.Length; cut++)
        {
            Assert.Equal(FrameReadResult.NeedMore, MqttFraming.TryRead(vector.Bytes.AsSpan(0, cut), Limit, out _));
            var sequence = new ReadOnlySequence<byte>(vector.Bytes, 0, cut);
            Assert.False(MqttFraming.TryRead(ref sequence, Limit, out _, out _));
            Assert.Equal(cut, sequence.Length);
        }
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Two_glued_packets_in_segments_of_any_size_are_two_packets(int index)
    {
        var vector = Vector.All[index];
        if (vector.Expected.StartsWith('!'))
        {
            return;
        }

        byte[] glued = [.. vector.Bytes, .. vector.Bytes];
        for (var size = 1; size <= glued.Length; size++)
        {
            var sequence = Segments.Of(glued, size);
            for (var packet = 0; packet < 2; packet++)
            {
                Assert.True(MqttFraming.TryRead(ref sequence, Limit, out var first, out var body));
                Assert.Equal(vector.Expected, PacketDump.Of(new MqttFrame(first, body.ToArray(), 0), vector.Version));
            }

            Assert.True(sequence.IsEmpty);
        }
    }

    [Fact]
    public void Ten_thousand_random_and_mutated_streams_end_in_packets_or_a_named_reason()
    {
        const int seed = 20261121;
        var random = new Random(seed);
        foreach (var version in (MqttVersion[])[MqttVersion.V311, MqttVersion.V500])
        {
            for (var round = 0; round < 10_000; round++)
            {
                ReadAll(RandomBytes(random), version);
                ReadAll(Mutate(random), version);
            }
        }
    }

    [Fact]
    public void A_huge_announced_length_is_refused_at_the_fixed_header()
    {
        var error = Assert.Throws<MqttProtocolException>(
            () => MqttFraming.TryRead([0x30, 0xFF, 0xFF, 0xFF, 0x7F], Limit, out _));
        Assert.Equal(MqttReasonCode.PacketTooLarge, error.Reason);
    }

    private static string Read(byte[] bytes, MqttVersion version)
    {
        try
        {
            return MqttFraming.TryRead(bytes, Limit, out var frame) == FrameReadResult.Frame
                ? PacketDump.Of(frame, version)
                : "need more";
        }
        catch (MqttProtocolException exception)
        {
            return "!" + ((byte)exception.Reason).ToString("X2", CultureInfo.InvariantCulture);
        }
    }

    private static void ReadAll(ReadOnlySpan<byte> stream, MqttVersion version)
    {
        try
        {
            while (MqttFraming.TryRead(stream, Limit, out var frame) == FrameReadResult.Frame)
            {
                Assert.NotEmpty(PacketDump.Of(frame, version));
                stream = stream[frame.Length..];
            }
        }
        catch (MqttProtocolException exception)
        {
            Assert.True(exception.Reason.IsFailure());
        }
    }

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(1, 64)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Mutate(Random random)
    {
        var bytes = (byte[])Vector.All[random.Next(Vector.All.Count)].Bytes.Clone();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return random.Next(4) == 0 ? bytes[..random.Next(1, bytes.Length + 1)] : bytes;
    }
}
