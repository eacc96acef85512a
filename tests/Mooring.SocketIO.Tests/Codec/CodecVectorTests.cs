using System.Text;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Tests.Codec;

public sealed class CodecVectorTests
{
    public static TheoryData<string> Packets => [.. Vector.Packets.Select(v => v.Line)];

    public static TheoryData<string> Payloads => [.. Vector.Payloads.Select(v => v.Line)];

    public static TheoryData<string> Handshakes => [.. Vector.Handshakes.Select(v => v.Line)];

    [Theory]
    [MemberData(nameof(Packets))]
    public void Packet_IsReadAsTheVectorSays(string line) => Check(Vector.Packets, line, Dump.Packet);

    [Theory]
    [MemberData(nameof(Payloads))]
    public void Payload_IsReadAsTheVectorSays(string line) => Check(Vector.Payloads, line, Dump.Payload);

    [Theory]
    [MemberData(nameof(Handshakes))]
    public void Handshake_IsReadAsTheVectorSays(string line) => Check(Vector.Handshakes, line, Dump.Handshake);

    [Fact]
    public void EmptyFrames_AreRefused()
    {
        Assert.Equal("!EmptyPacket", Dump.Packet([]));
        Assert.Equal(SocketIOProtocolError.EmptyPacket, Assert.Throws<SocketIOProtocolException>(() => EngineIOCodec.ReadPacket([])).Error);
        Assert.Equal("", Dump.Payload([]));
    }

    [Fact]
    public void NamespaceOfTheLimit_Passes_OneMoreIsRefused()
    {
        var longest = "/" + new string('n', CodecLimits.NamespaceBytesMax - 1);
        Assert.Equal($"Connect nsp={longest} {{}}", Dump.Packet(Encoding.UTF8.GetBytes($"0{longest},{{}}")));
        Assert.Equal("!BadNamespace", Dump.Packet(Encoding.UTF8.GetBytes($"0{longest}n,{{}}")));
    }

    [Fact]
    public void EventNameOfTheLimit_Passes_OneMoreIsRefused()
    {
        var longest = new string('n', CodecLimits.EventNameBytesMax);
        Assert.Equal($"Event \"{longest}\"", Dump.Packet(Encoding.UTF8.GetBytes($"2[\"{longest}\"]")));
        Assert.Equal("!BadEventName", Dump.Packet(Encoding.UTF8.GetBytes($"2[\"{longest}n\"]")));
    }

    [Fact]
    public void ArgumentsOfTheLimit_Pass_OneMoreIsRefused()
    {
        var most = "2[\"a\"" + string.Concat(Enumerable.Repeat(",1", CodecLimits.ArgumentsMax - 1));
        Assert.StartsWith("Event", Dump.Packet(Encoding.UTF8.GetBytes(most + "]")), StringComparison.Ordinal);
        Assert.Equal("!OverLimit", Dump.Packet(Encoding.UTF8.GetBytes(most + ",1]")));
    }

    [Fact]
    public void PacketsOfTheLimit_Pass_OneMoreIsRefused()
    {
        var most = string.Join('\x1E', Enumerable.Repeat("4", CodecLimits.PacketsInPayloadMax));
        Assert.StartsWith("Message|", Dump.Payload(Encoding.UTF8.GetBytes(most)), StringComparison.Ordinal);
        Assert.Equal("!OverLimit", Dump.Payload(Encoding.UTF8.GetBytes(most + "\u001E4")));
    }

    private static void Check(IReadOnlyList<Vector> vectors, string line, Func<byte[], string> dump)
    {
        var vector = vectors.Single(v => v.Line == line);
        Assert.Equal(vector.Expected, dump(vector.Bytes));
    }
}
