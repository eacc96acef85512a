using Mooring.Edge.Protocol.Debug;

namespace Mooring.Edge.Tests.Protocol;

/// <summary>The runtime's debug protocol, byte by byte.</summary>
public sealed class DebugPduTests
{
    [Fact]
    public void Requests_AreWrittenInNetworkByteOrder()
    {
        Assert.Equal("41", DebugPdu.ToHex(DebugPdu.Info()));
        Assert.Equal("45 DE AD 00 00", DebugPdu.ToHex(DebugPdu.GetMd5()));
        Assert.Equal("42 01 02 01 00 02 0A 0B", DebugPdu.ToHex(DebugPdu.Set(0x0102, force: true, [0x0A, 0x0B])));
        Assert.Equal("42 00 00 00 00 00", DebugPdu.ToHex(DebugPdu.Set(0, force: false, [])));
        Assert.Equal("44 00 02 00 01 FF FF", DebugPdu.ToHex(DebugPdu.GetList([1, 0xFFFF])));
    }

    [Fact]
    public void List_OfNoOrTooManyIndexes_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => DebugPdu.GetList([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => DebugPdu.GetList(new ushort[DebugPdu.IndexesMax + 1]));
        Assert.Equal(3 + (2 * DebugPdu.IndexesMax), DebugPdu.GetList(new ushort[DebugPdu.IndexesMax]).Length);
    }

    [Fact]
    public void Answers_AreRead()
    {
        Assert.True(DebugPdu.TryReadInfo([0x41, 0x01, 0x02], out var count));
        Assert.Equal(0x0102, count);
        Assert.True(DebugPdu.TryReadSet([0x42, 0x81], out var status));
        Assert.Equal("index out of bounds", DebugPdu.NameOf(status));
        Assert.True(DebugPdu.TryReadMd5([0x45, 0x7E, (byte)'a', (byte)'b', 0, (byte)'x'], out status, out var md5));
        Assert.Equal(("good", "ab"), (DebugPdu.NameOf(status), md5));
        Assert.True(DebugPdu.TryReadList([0x44, 0x7E, 0, 5, 1, 2, 3, 4, 0, 2, 9, 8, 7], out status, out var tick, out var values));
        Assert.Equal(0x01020304u, tick);
        Assert.Equal([9, 8], values.ToArray());
        Assert.True(DebugPdu.TryReadList([0x44, 0x82], out status, out _, out values));
        Assert.Equal("out of memory", DebugPdu.NameOf(status));
        Assert.Equal("unknown status 0x01", DebugPdu.NameOf(1));
    }

    [Fact]
    public void Answers_CutAnywhere_OrOfAnotherFunction_AreNotRead()
    {
        byte[] list = [0x44, 0x7E, 0, 5, 1, 2, 3, 4, 0, 2, 9, 8];
        for (var length = 0; length < list.Length; length++)
            Assert.False(DebugPdu.TryReadList(list.AsSpan(0, length), out _, out _, out _), $"cut at {length}");
        foreach (var pdu in new byte[][] { [], [0x41], [0x41, 0], [0x99, 0, 0] }) Assert.False(DebugPdu.TryReadInfo(pdu, out _));
        Assert.False(DebugPdu.TryReadSet([0x42], out _));
        Assert.False(DebugPdu.TryReadMd5([0x45], out _, out _));
    }

    [Fact]
    public void RandomAnswers_NeverThrow()
    {
        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var pdu = new byte[random.Next(0, 24)];
            random.NextBytes(pdu);
            if (pdu.Length > 0) pdu[0] = (byte)random.Next(0x41, 0x46);
            DebugPdu.TryReadInfo(pdu, out _);
            DebugPdu.TryReadSet(pdu, out _);
            DebugPdu.TryReadMd5(pdu, out _, out _);
            DebugPdu.TryReadList(pdu, out _, out _, out _);
        }
    }

    [Theory]
    [InlineData("45 DE ad 00", true, "45 DE AD 00")]
    [InlineData("45dead", true, "45 DE AD")]
    [InlineData("", true, "")]
    [InlineData("4", false, "")]
    [InlineData("0x41", false, "")]
    [InlineData(null, false, "")]
    public void Hex_IsReadInAnyCase_WithOrWithoutBlanks(string? text, bool isGood, string again)
    {
        Assert.Equal(isGood, DebugPdu.TryParseHex(text, out var bytes));
        Assert.Equal(again, DebugPdu.ToHex(bytes));
    }
}
