using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Mooring.Edge.Agent.Engine;

/// <summary>
/// The engine's stream of both outputs of a container without a terminal (Engine API, "Stream format"): stream number in one byte,
/// three zeros, length in four bytes big-endian, then that many bytes.
/// </summary>
internal static class LogFrames
{
    private const int HeaderLength = 8;

    // The engine copies with 32 KiB buffers; what announces more than this is not such a stream.
    private const int MaxFrameLength = 4 * 1024 * 1024;

    /// <summary>Takes the next whole frame off the buffer.</summary>
    /// <param name="buffer">What has been received; afterwards what is left of it.</param>
    /// <param name="frame">The frame; its bytes are a copy.</param>
    /// <returns>Whether there was a whole frame.</returns>
    /// <exception cref="EngineException">the bytes are not such a stream</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out LogFrame frame)
    {
        frame = default;
        if (buffer.Length < HeaderLength) return false;
        Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        if (header[0] > 2 || header[1] != 0 || header[2] != 0 || header[3] != 0 || length > MaxFrameLength)
            throw new EngineException("the container's output is not in the engine's stream format", new InvalidDataException());
        if (buffer.Length < HeaderLength + length) return false;
        frame = new LogFrame(header[0] == 2, buffer.Slice(HeaderLength, length).ToArray());
        buffer = buffer.Slice(HeaderLength + length);
        return true;
    }

    /// <summary>Both outputs as one text.</summary>
    /// <param name="stream">The whole stream; a cut last frame is left out.</param>
    /// <param name="maxBytes">How much of it is wanted.</param>
    /// <returns>The text.</returns>
    public static string Text(byte[] stream, int maxBytes)
    {
        var text = new ArrayBufferWriter<byte>();
        var rest = new ReadOnlySequence<byte>(stream);
        while (text.WrittenCount < maxBytes && TryRead(ref rest, out var frame))
            text.Write(frame.Text.Span[..Math.Min(frame.Text.Length, maxBytes - text.WrittenCount)]);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }
}
