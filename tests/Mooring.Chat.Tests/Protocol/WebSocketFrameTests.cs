using Mooring.Chat.Protocol;

namespace Mooring.Chat.Tests.Protocol;

public sealed class WebSocketFrameTests
{
    private const int PayloadMax = 100_000;

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void A_frame_is_read_when_its_last_byte_is_there_and_not_before(int length)
    {
        var payload = new byte[length];
        new Random(length).NextBytes(payload);
        var frame = Masked(payload);
        for (var cut = 0; cut < frame.Length; cut += Math.Max(1, frame.Length / 300))
            Assert.Equal(FrameResult.NeedMore, WebSocketFrame.Read(frame[..cut], PayloadMax, out _));
        Assert.Equal(FrameResult.Frame, WebSocketFrame.Read(frame, PayloadMax, out var read));
        Assert.Equal(frame.Length, read.Length);
        Assert.True(payload.AsSpan().SequenceEqual(read.Payload));
    }

    [Theory]
    [InlineData("8101", FrameResult.Malformed)]
    [InlineData("C180", FrameResult.Malformed)]
    [InlineData("8380", FrameResult.Malformed)]
    [InlineData("8B80", FrameResult.Malformed)]
    [InlineData("0980", FrameResult.Malformed)]
    [InlineData("89FE", FrameResult.Malformed)]
    [InlineData("81FF0000000000FFFFFF", FrameResult.TooLarge)]
    [InlineData("81FFFFFFFFFFFFFFFFFF", FrameResult.TooLarge)]
    public void What_is_not_allowed_is_refused_by_its_head(string hex, object expected) =>
        Assert.Equal((FrameResult)expected, WebSocketFrame.Read(Convert.FromHexString(hex), PayloadMax, out _));

    [Fact]
    public void Twenty_thousand_random_inputs_are_read_without_a_fault()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(1, 40)];
            random.NextBytes(bytes);
            if (WebSocketFrame.Read(bytes, PayloadMax, out var frame) == FrameResult.Frame) Assert.InRange(frame.Length, 6, bytes.Length);
        }
    }

    private static byte[] Masked(byte[] payload)
    {
        var head = WebSocketFrame.Encode(WebSocketFrame.Text, payload)[..^payload.Length];
        head[1] |= 0x80;
        byte[] mask = [1, 2, 3, 4];
        return [.. head, .. mask, .. payload.Select((b, i) => (byte)(b ^ mask[i & 3]))];
    }
}
