using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>
/// The messages of a room in one form, as one append-only row of bytes: a message is encoded and copied once, however many members
/// read it. Appending is the room's business, under its lock; reading needs no lock. A message never crosses the edge of a chunk.
/// </summary>
internal sealed class RoomLog(MessageFormat format)
{
    // A quiet room costs little; a busy one gets chunks below the large object heap that still make long writes.
    private const int ChunkBytesMin = 1024;
    private const int ChunkBytesMax = 64 * 1024;

    private long _head;

    internal MessageFormat Format => format;

    /// <summary>Members that read it.</summary>
    internal int Readers { get; set; }

    internal LogChunk Tail { get; private set; } = new(0, ChunkBytesMin);

    /// <summary>Position behind the last byte.</summary>
    internal long Head => Volatile.Read(ref _head);

    internal void Append(in ChatMessage message)
    {
        var space = Reserve(MessageWriter.MeasureMax(format, message));
        var written = MessageWriter.Write(format, message, space);
        Tail.Used += written;
        Volatile.Write(ref _head, _head + written);
    }

    private Span<byte> Reserve(int bytes)
    {
        if (Tail.Bytes.Length - Tail.Used < bytes)
        {
            var capacity = Math.Max(bytes, Math.Min(Tail.Bytes.Length * 4, ChunkBytesMax));
            Tail = Tail.Next = new LogChunk(_head, capacity);
        }
        return Tail.Bytes.AsSpan(Tail.Used);
    }
}
