using System.Buffers;
using Mooring.SocketIO.Codec;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests.Codec;

/// <summary>Whatever comes, it is read or refused with a reason of the protocol; nothing else is thrown.</summary>
public sealed class CodecRobustnessTests
{
    private const int Inputs = 20_000;

    [Fact]
    public void EveryTruncation_IsReadOrRefused()
    {
        foreach (var vector in Vector.Packets) EachTruncation(vector, Dump.Packet);
        foreach (var vector in Vector.Payloads) EachTruncation(vector, Dump.Payload);
        foreach (var vector in Vector.Handshakes) EachTruncation(vector, Dump.Handshake);
    }

    [Fact]
    public void EveryProperBeginningOfAnEvent_IsRefused()
    {
        foreach (var vector in Vector.Packets.Where(v => v.Expected.StartsWith("Event", StringComparison.Ordinal)))
            foreach (var cut in SequenceSplits.Truncations(vector.Bytes))
                Assert.StartsWith("!", Dump.Packet(cut.ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20261121)]
    public void RandomBytes_AreReadOrRefused(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < Inputs; i++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            if (bytes.Length > 0 && i % 2 == 0) bytes[0] = (byte)('0' + random.Next(8));
            Dump.Packet(bytes);
            Dump.Payload(bytes);
            Dump.Handshake(bytes);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(20261122)]
    public void MutatedVectors_AreReadOrRefused(int seed)
    {
        var random = new Random(seed);
        Vector[] all = [.. Vector.Packets, .. Vector.Payloads, .. Vector.Handshakes];
        for (var i = 0; i < Inputs; i++)
        {
            var bytes = Mutate(random, all[random.Next(all.Length)].Bytes);
            Dump.Payload(bytes);
            Dump.Handshake(bytes);
            var first = Dump.Packet(bytes);
            if (first[0] != '!') Assert.Equal(first, Dump.Packet(Rewrite(bytes)));
        }
    }

    [Fact]
    public void WhatIsWritten_IsReadAgain()
    {
        foreach (var vector in Vector.Packets.Where(v => v.Expected[0] != '!'))
            Assert.Equal(vector.Expected, Dump.Packet(Rewrite(vector.Bytes)));
    }

    [Fact]
    public void BinaryPackets_SurvivePolling()
    {
        var random = new Random(3);
        for (var length = 0; length < 100; length++)
        {
            var message = new byte[length];
            random.NextBytes(message);
            var body = new ArrayBufferWriter<byte>();
            EngineIOCodec.WriteBinary(body, message);
            Assert.Equal(("Binary " + Convert.ToHexString(message)).TrimEnd(), Dump.Payload(body.WrittenSpan.ToArray()));
        }
    }

    [Fact]
    public void Handshake_IsReadAsItWasWritten()
    {
        var written = new EngineIOHandshake("s-1", true, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(20), 100_000_000);
        var body = new ArrayBufferWriter<byte>();
        written.Write(body);
        Assert.Equal(written, EngineIOHandshake.Read(body.WrittenSpan));
    }

    private static void EachTruncation(Vector vector, Func<byte[], string> dump)
    {
        foreach (var cut in SequenceSplits.Truncations(vector.Bytes)) Assert.NotNull(dump(cut.ToArray()));
    }

    private static byte[] Mutate(Random random, byte[] original)
    {
        var bytes = original.ToList();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(3))
            {
                case 0 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
                case 1 when at < bytes.Count: bytes.RemoveAt(at); break;
                default: bytes.Insert(at, "0123456789-,/[]{}\"\\:b\x1E"u8[random.Next(22)]); break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Reads a packet and writes it again, without the Engine.IO type in front.</summary>
    private static byte[] Rewrite(byte[] frame)
    {
        var packet = SocketIOCodec.Read(frame);
        var output = new ArrayBufferWriter<byte>();
        SocketIOCodec.WriteHead(output, packet.Type, packet.Namespace.Of(frame), packet.Id, packet.AttachmentCount);
        output.Write(packet.Payload.Of(frame));
        Assert.Equal((byte)'4', output.WrittenSpan[0]);
        return output.WrittenSpan[1..].ToArray();
    }
}
