using System.Buffers;
using System.Text;
using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Tests.Agent.Engine;

public sealed class LogFramesTests
{
    private static readonly byte[] Stream = [1, 0, 0, 0, 0, 0, 0, 3, .. "out"u8, 2, 0, 0, 0, 0, 0, 0, 4, .. "fail"u8, 1, 0, 0, 0, 0, 0, 0, 0];

    [Fact]
    public void Frames_AreReadWhereverTheStreamIsCut()
    {
        for (var cut = 0; cut <= Stream.Length; cut++)
        {
            var frames = new List<LogFrame>();
            var rest = new ReadOnlySequence<byte>(Stream[..cut]);
            while (LogFrames.TryRead(ref rest, out var frame)) frames.Add(frame);
            rest = new ReadOnlySequence<byte>([.. rest.ToArray(), .. Stream[cut..]]);
            while (LogFrames.TryRead(ref rest, out var frame)) frames.Add(frame);
            Assert.True(rest.IsEmpty);
            Assert.Equal(["out", "!fail", ""], frames.Select(f => (f.IsError ? "!" : "") + Encoding.UTF8.GetString(f.Text.Span)));
        }
    }

    [Fact]
    public void Text_StopsAtTheBound() => Assert.Equal("outf", LogFrames.Text(Stream, 4));

    [Theory]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 1, 65 })]
    [InlineData(new byte[] { 1, 1, 0, 0, 0, 0, 0, 1, 65 })]
    [InlineData(new byte[] { 1, 0, 0, 0, 255, 0, 0, 1, 65 })]
    public void OtherBytes_AreRefused(byte[] bytes)
    {
        var rest = new ReadOnlySequence<byte>(bytes);
        Assert.Throws<EngineException>(() => LogFrames.TryRead(ref rest, out _));
    }

    [Fact]
    public void RandomBytes_AreReadOrRefused()
    {
        var random = new Random(5);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            if (round % 2 == 0 && bytes.Length > 7) bytes.AsSpan(0, 7).Clear();
            var rest = new ReadOnlySequence<byte>(bytes);
            try
            {
                while (LogFrames.TryRead(ref rest, out _)) { }
            }
            catch (EngineException)
            {
                continue;
            }
            Assert.True(rest.Length <= bytes.Length);
        }
    }
}
