using System.Buffers;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Tests.Protocol;

public sealed class MessagePackTests
{
    [Theory]
    [InlineData(0L, "00")]
    [InlineData(127L, "7F")]
    [InlineData(128L, "CC80")]
    [InlineData(255L, "CCFF")]
    [InlineData(256L, "CD0100")]
    [InlineData(65535L, "CDFFFF")]
    [InlineData(65536L, "CE00010000")]
    [InlineData(4294967295L, "CEFFFFFFFF")]
    [InlineData(4294967296L, "CF0000000100000000")]
    [InlineData(long.MaxValue, "CF7FFFFFFFFFFFFFFF")]
    [InlineData(-1L, "FF")]
    [InlineData(-32L, "E0")]
    [InlineData(-33L, "D0DF")]
    [InlineData(-128L, "D080")]
    [InlineData(-129L, "D1FF7F")]
    [InlineData(-32769L, "D2FFFF7FFF")]
    [InlineData(-2147483649L, "D3FFFFFFFF7FFFFFFF")]
    [InlineData(long.MinValue, "D38000000000000000")]
    public void Integer_IsWrittenInItsShortestFormAndReadBack(long value, string hex)
    {
        var bytes = Written(output => new MessagePackWriter(output).WriteInt64(value));
        Assert.Equal(hex, Convert.ToHexString(bytes));
        Assert.Equal(value, new MessagePackReader(bytes).ReadInt64());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(65535)]
    [InlineData(65536)]
    public void TextAndBinaryOfEveryLengthClass_RoundTrip(int length)
    {
        var text = new string('x', length);
        var bytes = Written(output =>
        {
            var writer = new MessagePackWriter(output);
            writer.WriteText(text);
            writer.WriteBinary(new byte[length]);
            writer.WriteArrayHeader(length);
            writer.WriteMapHeader(length);
        });
        var reader = new MessagePackReader([.. bytes, .. new byte[length * 2]]);
        Assert.Equal(text, reader.ReadString());
        Assert.Equal(length, reader.ReadBinary().Length);
        Assert.Equal(length, reader.ReadArrayHeader());
        Assert.Equal(length, reader.ReadMapHeader());
    }

    [Fact]
    public void OtherValues_RoundTrip()
    {
        var bytes = Written(output =>
        {
            var writer = new MessagePackWriter(output);
            writer.WriteDouble(1.5);
            writer.WriteBoolean(true);
            writer.WriteBoolean(false);
            writer.WriteNil();
            writer.WriteText("grüße");
        });
        var reader = new MessagePackReader(bytes);
        Assert.Equal(1.5, reader.ReadDouble());
        Assert.True(reader.ReadBoolean());
        Assert.False(reader.ReadBoolean());
        Assert.True(reader.TryReadNil());
        Assert.Equal("grüße", reader.ReadString());
        Assert.True(reader.IsAtEnd);
    }

    [Theory]
    [InlineData("C1", TunnelProtocolError.Malformed)]
    [InlineData("DF7FFFFFFF", TunnelProtocolError.Truncated)]
    [InlineData("DDFFFFFFFF", TunnelProtocolError.Truncated)]
    [InlineData("DBFFFFFFFF61", TunnelProtocolError.Truncated)]
    [InlineData("C6FFFFFFFF61", TunnelProtocolError.Truncated)]
    [InlineData("C9FFFFFFFF0161", TunnelProtocolError.Truncated)]
    [InlineData("81A161", TunnelProtocolError.Truncated)]
    [InlineData("", TunnelProtocolError.Truncated)]
    public void BrokenValue_IsANamedError(string hex, object error) =>
        Assert.Equal(error, Error(Convert.FromHexString(hex), bytes => new MessagePackReader(bytes).ReadRaw()));

    [Fact]
    public void DepthBomb_IsRefused()
    {
        byte[] bomb = [.. Enumerable.Repeat((byte)0x91, 100_000), 0xC0];
        Assert.Equal(TunnelProtocolError.TooDeep, Error(bomb, bytes => new MessagePackReader(bytes).ReadRaw()));
    }

    [Fact]
    public void IntegerAboveInt64_IsOutOfRange_ButCanBeSkipped()
    {
        var bytes = Convert.FromHexString("CFFFFFFFFFFFFFFFFF");
        Assert.Equal(TunnelProtocolError.OutOfRange, Error(bytes, b => new MessagePackReader(b).ReadInt64()));
        Assert.Equal(9, new MessagePackReader(bytes).ReadRaw().Length);
    }

    [Theory]
    [InlineData("D40102")]
    [InlineData("D8010000000000000000000000000000000F")]
    [InlineData("C7030102FF00")]
    [InlineData("C800010102")]
    public void Extension_IsSteppedOver(string hex) =>
        Assert.Equal(hex.Length / 2, new MessagePackReader(Convert.FromHexString(hex)).ReadRaw().Length);

    private static byte[] Written(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }

    private delegate void Use(ReadOnlySpan<byte> bytes);

    private static TunnelProtocolError Error(byte[] bytes, Use use) =>
        Assert.Throws<TunnelProtocolException>(() => use(bytes)).Error;
}
