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
    private long _begun;
    private long _messages;

    internal MessageFormat Format => format;

    /// <summary>Members that read it.</summary>
    internal int Readers { get; set; }

    internal LogChunk Tail { get; private set; } = new(0, 0, ChunkBytesMin);

    /// <summary>Position behind the last byte.</summary>
    internal long Head => Volatile.Read(ref _head);

    /// <summary>Messages in it since it began.</summary>
    internal long Messages => Volatile.Read(ref _messages);

    /// <summary>Its end and the messages in front of that, for a reader that begins there. Appending holds a lock, so it is over soon.</summary>
    internal (LogChunk Chunk, int Offset, long Messages) End()
    {
        var spinning = new SpinWait();
        while (true)
        {
            var messages = Messages;
            var chunk = Tail;
            var offset = chunk.Used;
            if (Volatile.Read(ref _begun) == messages) return (chunk, offset, messages);
            spinning.SpinOnce();
        }
    }

    internal void Append(in ChatMessage message)
    {
        Volatile.Write(ref _begun, _begun + 1);
        var space = Reserve(MessageWriter.MeasureMax(format, message));
        var written = MessageWriter.Write(format, message, space);
        Tail.Used += written;
        Volatile.Write(ref _head, _head + written);
        Volatile.Write(ref _messages, _messages + 1);
    }

    private Span<byte> Reserve(int bytes)
    {
        if (Tail.Bytes.Length - Tail.Used < bytes)
        {
            var capacity = Math.Max(bytes, Math.Min(Tail.Bytes.Length * 4, ChunkBytesMax));
            Tail = Tail.Next = new LogChunk(_head, _messages, capacity);
        }
        return Tail.Bytes.AsSpan(Tail.Used);
    }
}
