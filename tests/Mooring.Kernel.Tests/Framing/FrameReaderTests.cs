using System.Buffers;
using System.IO.Pipelines;
using Mooring.Kernel.Framing;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Framing;

public sealed class FrameReaderTests : MooringTest
{
    private const int FrameBytesMax = 16;

    // Three frames: one length byte, then so many bytes.
    private static readonly byte[] Stream = [3, 1, 2, 3, 0, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    private static readonly string[] Frames = ["010203", "", "0102030405060708090A0B0C0D0E0F"];

    [Fact]
    public async Task CutAtEveryByte_GivesTheSameFrames()
    {
        for (var cut = 0; cut <= Stream.Length; cut++)
        {
            var (frames, clean) = await ReadAsync(Stream[..cut], Stream[cut..]);
            Assert.True(clean);
            Assert.Equal(Frames, frames);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Pieces_GiveTheSameFrames(int size)
    {
        var (frames, clean) = await ReadAsync([.. Stream.Chunk(size)]);
        Assert.True(clean);
        Assert.Equal(Frames, frames);
    }

    [Fact]
    public async Task EndInTheMiddleOfAFrame_IsIncompleteAtEveryByte()
    {
        int[] boundaries = [0, 4, 5, 21];
        for (var end = 0; end <= Stream.Length; end++)
        {
            if (boundaries.Contains(end))
            {
                Assert.True((await ReadAsync(Stream[..end])).Clean);
                continue;
            }
            var e = await Assert.ThrowsAsync<FramingException>(() => ReadAsync(Stream[..end]));
            Assert.Equal(FramingError.Incomplete, e.Error);
        }
    }

    [Fact]
    public async Task FrameLargerThanTheWindow_IsRefusedAsSoonAsTheWindowIsFull()
    {
        var pipe = new Pipe();
        var run = new FrameReader<string>(pipe.Reader, new LengthPrefixed(), FrameBytesMax)
            .RunAsync(_ => new ValueTask<bool>(true), null, TestTimeout);
        await pipe.Writer.WriteAsync(new byte[] { 200 }, TestTimeout);
        Assert.False(run.IsCompleted);
        await pipe.Writer.WriteAsync(new byte[FrameBytesMax - 1], TestTimeout);
        var e = await Assert.ThrowsAsync<FramingException>(() => run);
        Assert.Equal(FramingError.TooLarge, e.Error);
    }

    [Fact]
    public async Task LargestFrame_PassesEvenWhenMoreFollowsInTheSameRead()
    {
        byte[] largest = [15, .. new byte[15]];
        var (frames, _) = await ReadAsync([.. largest, .. largest, .. largest]);
        Assert.Equal(3, frames.Count);
    }

    [Fact]
    public async Task DispatchThatLeaves_KeepsWhatFollowsForTheNextReader()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(Stream, TestTimeout);
        var frames = new List<string>();
        ValueTask<bool> TakeOne(string frame)
        {
            frames.Add(frame);
            return new ValueTask<bool>(false);
        }
        for (var i = 0; i < 3; i++)
            Assert.False(await new FrameReader<string>(pipe.Reader, new LengthPrefixed(), FrameBytesMax).RunAsync(TakeOne, null, TestTimeout));
        Assert.Equal(Frames, frames);
    }

    [Fact]
    public async Task ThrowingDispatch_LeavesThePipeUsableAfterItsFrame()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(Stream, TestTimeout);
        await pipe.Writer.CompleteAsync();
        var reader = new FrameReader<string>(pipe.Reader, new LengthPrefixed(), FrameBytesMax);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => reader.RunAsync(_ => throw new InvalidOperationException(), null, TestTimeout));
        var frames = new List<string>();
        Assert.True(await reader.RunAsync(f => Add(frames, f), null, TestTimeout));
        Assert.Equal(Frames[1..], frames);
    }

    [Fact]
    public async Task BatchEnd_ComesOncePerRead()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(Stream, TestTimeout);
        await pipe.Writer.CompleteAsync();
        var batches = 0;
        await new FrameReader<string>(pipe.Reader, new LengthPrefixed(), FrameBytesMax).RunAsync(
            _ => new ValueTask<bool>(true),
            () =>
            {
                batches++;
                return ValueTask.CompletedTask;
            },
            TestTimeout);
        Assert.Equal(1, batches);
    }

    [Fact]
    public async Task ParserThatConsumesNothing_IsABugNotALoop()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(Stream, TestTimeout);
        await Assert.ThrowsAsync<InvalidOperationException>(() => new FrameReader<string>(
            pipe.Reader, new Stuck(), FrameBytesMax).RunAsync(_ => new ValueTask<bool>(true), null, TestTimeout));
    }

    [Fact]
    public async Task Cancellation_EndsAWaitingRead()
    {
        using var stop = new CancellationTokenSource();
        var pipe = new Pipe();
        var run = new FrameReader<string>(pipe.Reader, new LengthPrefixed(), FrameBytesMax)
            .RunAsync(_ => new ValueTask<bool>(true), null, stop.Token);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task LineCutAtEveryByte_GivesTheWholeFramesBeforeTheCutAndAReset()
    {
        for (var cut = 0; cut < Stream.Length; cut++)
        {
            var (client, server) = InMemoryConnection.CreatePair(
                "x", new InMemoryEndPoint("x"), toServer: new ByteFaults().CutAfter(cut).InPiecesOf(3));
            var frames = new List<string>();
            var run = new FrameReader<string>(server.Transport.Input, new LengthPrefixed(), FrameBytesMax)
                .RunAsync(f => Add(frames, f), null, TestTimeout);
            await client.Transport.Output.WriteAsync(Stream, TestTimeout);
            await Assert.ThrowsAnyAsync<IOException>(() => run);
            Assert.Equal(cut < 4 ? 0 : cut < 5 ? 1 : 2, frames.Count);
        }
    }

    private static ValueTask<bool> Add(List<string> frames, string frame)
    {
        frames.Add(frame);
        return new ValueTask<bool>(true);
    }

    private async Task<(List<string> Frames, bool Clean)> ReadAsync(params byte[][] pieces)
    {
        // Each piece waits until the reader has seen the one before.
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        var frames = new List<string>();
        var run = new FrameReader<string>(pipe.Reader, new LengthPrefixed(), FrameBytesMax)
            .RunAsync(f => Add(frames, f), null, TestTimeout);
        foreach (var piece in pieces) await pipe.Writer.WriteAsync(piece, TestTimeout);
        await pipe.Writer.CompleteAsync();
        return (frames, await run);
    }

    private sealed class LengthPrefixed : IFrameParser<string>
    {
        public bool TryRead(ref ReadOnlySequence<byte> buffer, out string frame)
        {
            frame = "";
            int length = buffer.FirstSpan.Length > 0 ? buffer.FirstSpan[0] : buffer.ToArray()[0];
            if (buffer.Length < length + 1) return false;
            frame = Convert.ToHexString(buffer.Slice(1, length).ToArray());
            buffer = buffer.Slice(length + 1);
            return true;
        }
    }

    private sealed class Stuck : IFrameParser<string>
    {
        public bool TryRead(ref ReadOnlySequence<byte> buffer, out string frame)
        {
            frame = "";
            return true;
        }
    }
}
