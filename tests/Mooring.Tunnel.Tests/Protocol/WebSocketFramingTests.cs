using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Tests.Protocol;

public sealed class WebSocketFramingTests
{
    // The examples of RFC 6455 5.7 and 1.3.
    [Theory]
    [InlineData("810548656C6C6F", WebSocketOpcode.Text, true, 5L, false)]
    [InlineData("818537FA213D7F9F4D5158", WebSocketOpcode.Text, true, 5L, true)]
    [InlineData("010348656C", WebSocketOpcode.Text, false, 3L, false)]
    [InlineData("80026C6F", WebSocketOpcode.Continuation, true, 2L, false)]
    [InlineData("827E0100", WebSocketOpcode.Binary, true, 256L, false)]
    [InlineData("827F0000000000010000", WebSocketOpcode.Binary, true, 65536L, false)]
    public void Header_IsReadAndWritten(string hex, object opcode, bool isFinal, long length, bool isMasked)
    {
        var bytes = Convert.FromHexString(hex);
        Assert.True(WebSocketFraming.TryReadHeader(bytes, out var header));
        Assert.Equal((opcode, isFinal, length, isMasked), (header.Opcode, header.IsFinal, header.PayloadLength, header.MaskKey is not null));
        var written = new byte[WebSocketFraming.HeaderBytesMax];
        var count = WebSocketFraming.WriteHeader(written, header.Opcode, length, header.MaskKey, isFinal);
        Assert.Equal(header.Length, count);
        Assert.Equal(WebSocketFraming.HeaderLength(length, isMasked), count);
        Assert.Equal(bytes[..count], written[..count]);
        for (var cut = 0; cut < count; cut++) Assert.False(WebSocketFraming.TryReadHeader(bytes.AsSpan(0, cut), out _));
    }

    [Fact]
    public void MaskedExample_IsUnmasked()
    {
        var bytes = Convert.FromHexString("818537FA213D7F9F4D5158");
        WebSocketFraming.TryReadHeader(bytes, out var header);
        var payload = bytes.AsSpan(header.Length);
        WebSocketFraming.Mask(payload, header.MaskKey!.Value);
        Assert.True(payload.SequenceEqual("Hello"u8));
    }

    [Fact]
    public void MaskingInPieces_IsMaskingAtOnce()
    {
        var random = new Random(7);
        for (var length = 0; length < 200; length++)
        {
            var whole = new byte[length];
            random.NextBytes(whole);
            byte[] pieces = [.. whole];
            var plain = whole.ToArray();
            var key = (uint)random.NextInt64(uint.MaxValue);
            var cut = random.Next(length + 1);
            WebSocketFraming.Mask(whole, key);
            WebSocketFraming.Mask(pieces.AsSpan(0, cut), key);
            WebSocketFraming.Mask(pieces.AsSpan(cut), key, cut);
            Assert.Equal(whole, pieces);
            for (var i = 0; i < length; i++) Assert.Equal(plain[i] ^ BitConverter.GetBytes(key)[i & 3], whole[i]);
        }
    }

    [Theory]
    [InlineData("C100")]
    [InlineData("8300")]
    [InlineData("8F00")]
    [InlineData("0900")]
    [InlineData("897E0080")]
    [InlineData("827FFFFFFFFFFFFFFFFF")]
    public void BrokenHeader_IsRefused(string hex) => Assert.Equal(
        TunnelProtocolError.WebSocket,
        Assert.Throws<TunnelProtocolException>(() => WebSocketFraming.TryReadHeader(Convert.FromHexString(hex), out _)).Error);

    [Fact]
    public void Accept_IsThatOfTheRfc() => Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WebSocketFraming.Accept("dGhlIHNhbXBsZSBub25jZQ=="));

    [Fact]
    public void ClosePayload_RoundTrips()
    {
        var bytes = new byte[WebSocketFraming.ControlPayloadMax];
        var length = WebSocketFraming.WriteClosePayload(bytes, 1008, "no");
        Assert.Equal((1008, "no"), WebSocketFraming.ReadClosePayload(bytes.AsSpan(0, length)));
        Assert.Equal((1005, ""), WebSocketFraming.ReadClosePayload([]));
    }

    [Theory]
    [InlineData("this account has carried what it may in a day", 45)]
    [InlineData("x", 123)]
    [InlineData("€", 123)]
    [InlineData("🐙", 120)]
    public void ReasonOfAClose_IsCutBetweenCharacters_ToWhatAControlFrameHolds(string text, int bytes)
    {
        var payload = new byte[WebSocketFraming.ControlPayloadMax];
        var length = WebSocketFraming.WriteClosePayload(payload, 1008, text.Length > 2 ? text : string.Concat(Enumerable.Repeat(text, 200)));
        Assert.Equal(2 + bytes, length);
        Assert.DoesNotContain('\uFFFD', WebSocketFraming.ReadClosePayload(payload.AsSpan(0, length)).Reason);
    }
}
