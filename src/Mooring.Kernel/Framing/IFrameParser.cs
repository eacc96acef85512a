using System.Buffers;

namespace Mooring.Kernel.Framing;

/// <summary>Cuts one frame off the front of a buffer. Pure: no I/O, no clock, no logger.</summary>
/// <typeparam name="TFrame">What a frame is parsed into.</typeparam>
public interface IFrameParser<TFrame>
{
    /// <summary>Tries to cut one frame off the front of a buffer. There are three outcomes, never two.</summary>
    /// <param name="buffer">
    /// What there is. On true it begins after the frame; on false it must be as it was: "need more" never swallows bytes.
    /// </param>
    /// <param name="frame">
    /// The frame. It may refer to the buffer's memory: it is only lent until its dispatch has ended.
    /// </param>
    /// <returns>True for a frame, false when more bytes are needed. A malformed frame is an exception of the protocol.</returns>
    bool TryRead(ref ReadOnlySequence<byte> buffer, out TFrame frame);
}
