using System.Buffers;

namespace Mooring.Edge.Protocol;

/// <summary>Lines of a stream in which each line is one JSON object.</summary>
internal static class JsonLines
{
    /// <summary>Takes the next whole line off the buffer.</summary>
    /// <param name="buffer">What has been received; afterwards what is left of it.</param>
    /// <param name="line">The line without its end.</param>
    /// <returns>Whether there was a whole line.</returns>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out byte[] line)
    {
        line = [];
        if (buffer.PositionOf((byte)'\n') is not { } end) return false;
        line = buffer.Slice(0, end).ToArray();
        if (line is [.., (byte)'\r']) line = line[..^1];
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }
}
