using System.Buffers;
using System.IO.Pipelines;

namespace Mooring.Kernel.Framing;

/// <summary>
/// The read loop, written once: read, parse all, dispatch, advance. Every protocol with frames uses it.
/// </summary>
/// <remarks>
/// <para>
/// A pipe hands out everything that has arrived and not been consumed. That may be a tenth of a frame or ten frames and a
/// half. The loop takes off whole frames until the parser needs more, and then tells the pipe two positions: <i>consumed</i>,
/// where the first incomplete frame begins, so that its bytes are handed out again; and <i>examined</i>, the end of what was
/// seen, so that the next read waits for bytes beyond it instead of returning the same ones for ever.
/// </para>
/// <para>
/// The limit is the window. The parser never sees more than <c>frameBytesMax</c> bytes, so it cannot be made to hold or
/// allocate more; when it needs more although the window is full, the frame is too large, and nobody had to parse a length to
/// find out. The pipe itself holds no more than that either, plus one read.
/// </para>
/// <para>
/// The end of the stream between two frames is a clean close. In the middle of a frame it is an error.
/// </para>
/// </remarks>
/// <typeparam name="TFrame">What a frame is parsed into.</typeparam>
/// <param name="input">Where bytes come from. The loop does not complete it: its owner does.</param>
/// <param name="parser">Cuts frames off.</param>
/// <param name="frameBytesMax">The largest frame, everything included.</param>
public sealed class FrameReader<TFrame>(PipeReader input, IFrameParser<TFrame> parser, int frameBytesMax)
{
    /// <summary>The largest frame, everything included. It may change between two frames, for instance after a handshake.</summary>
    public int FrameBytesMax { get; set; } = frameBytesMax;

    /// <summary>Runs until the peer closes, an error or cancellation.</summary>
    /// <param name="dispatch">
    /// Called for each frame, one after another. A frame that refers to the pipe's memory is valid until its task has ended.
    /// Return false to leave the loop after this frame; what follows it stays in the pipe.
    /// </param>
    /// <param name="batchEnd">Called when all frames of one read were dispatched: the moment to flush what they caused, once.</param>
    /// <param name="cancellationToken">Ends the loop with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>True after a clean close by the peer, false when <paramref name="dispatch"/> or a cancelled read left the loop.</returns>
    /// <exception cref="FramingException">A frame is too large, or the stream ended in the middle of one.</exception>
    public async Task<bool> RunAsync(
        Func<TFrame, ValueTask<bool>> dispatch, Func<ValueTask>? batchEnd = null, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            if (read.IsCanceled)
            {
                input.AdvanceTo(read.Buffer.Start);
                return false;
            }
            var rest = read.Buffer;
            // Until the parser has seen all of it, the rest has not been examined: after an early leave the next read returns at once.
            var examined = rest.Start;
            try
            {
                while (TryTake(ref rest, out var frame))
                {
                    examined = rest.Start;
                    if (!await dispatch(frame)) return false;
                }
                examined = rest.End;
                if (batchEnd is not null) await batchEnd();
                if (!read.IsCompleted) continue;
                if (!rest.IsEmpty)
                    throw new FramingException(
                        FramingError.Incomplete, $"the stream ended in the middle of a frame, after {rest.Length} bytes of it");
                return true;
            }
            finally
            {
                input.AdvanceTo(rest.Start, examined);
            }
        }
    }

    private bool TryTake(ref ReadOnlySequence<byte> rest, out TFrame frame)
    {
        frame = default!;
        if (rest.IsEmpty) return false;
        var isFull = rest.Length >= FrameBytesMax;
        var window = isFull ? rest.Slice(0, FrameBytesMax) : rest;
        var before = window.Length;
        if (parser.TryRead(ref window, out frame))
        {
            if (window.Length == before) throw new InvalidOperationException("the parser returned a frame without consuming a byte");
            rest = rest.Slice(before - window.Length);
            return true;
        }
        return isFull
            ? throw new FramingException(FramingError.TooLarge, $"a frame is larger than {FrameBytesMax} bytes")
            : false;
    }
}
