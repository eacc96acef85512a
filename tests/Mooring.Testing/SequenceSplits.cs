using System.Buffers;

namespace Mooring.Testing;

/// <summary>The same bytes as sequences of many segments: a parser must not care where the network cut them.</summary>
public static class SequenceSplits
{
    /// <summary>A sequence with exactly these segments.</summary>
    public static ReadOnlySequence<byte> Of(params ReadOnlyMemory<byte>[] segments)
    {
        if (segments.Length == 0) return ReadOnlySequence<byte>.Empty;
        var first = new Segment(segments[0], 0);
        var last = first;
        foreach (var memory in segments.AsSpan(1)) last = last.Append(memory);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    /// <summary>Every way to cut the bytes in two, the empty pieces at both ends included.</summary>
    public static IEnumerable<ReadOnlySequence<byte>> InTwo(ReadOnlyMemory<byte> bytes)
    {
        for (var cut = 0; cut <= bytes.Length; cut++) yield return Of(bytes[..cut], bytes[cut..]);
    }

    /// <summary>One segment a byte.</summary>
    public static ReadOnlySequence<byte> ByteByByte(ReadOnlyMemory<byte> bytes) => InPieces(bytes, 1);

    /// <summary>Segments of this size.</summary>
    public static ReadOnlySequence<byte> InPieces(ReadOnlyMemory<byte> bytes, int size)
    {
        var segments = new List<ReadOnlyMemory<byte>>();
        for (var at = 0; at < bytes.Length; at += size) segments.Add(bytes.Slice(at, Math.Min(size, bytes.Length - at)));
        return Of([.. segments]);
    }

    /// <summary>Every proper beginning of the bytes: what a cut connection leaves.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Truncations(ReadOnlyMemory<byte> bytes)
    {
        for (var length = 0; length < bytes.Length; length++) yield return bytes[..length];
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
