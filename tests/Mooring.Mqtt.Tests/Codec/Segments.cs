using System.Buffers;

namespace Mooring.Mqtt.Tests.Codec;

/// <summary>Sequences of many small segments, as a pipe delivers them at the worst.</summary>
internal static class Segments
{
    internal static ReadOnlySequence<byte> Of(byte[] bytes, int size)
    {
        Segment? first = null;
        Segment? last = null;
        foreach (var chunk in bytes.Chunk(size))
        {
            last = new Segment(chunk, last);
            first ??= last;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal Segment(byte[] bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
