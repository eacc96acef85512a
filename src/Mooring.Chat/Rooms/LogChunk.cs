namespace Mooring.Chat.Rooms;

/// <summary>
/// A piece of a room's log: written once by the room, read by any number of members at the same time. A chunk lives as long as a
/// member still has to read it; nobody counts references, the collector does.
/// </summary>
internal sealed class LogChunk(long start, long messagesBefore, int capacity)
{
    private int _used;
    private LogChunk? _next;

    /// <summary>Position of its first byte in the log.</summary>
    internal long Start { get; } = start;

    /// <summary>Messages of the log in front of it.</summary>
    internal long MessagesBefore { get; } = messagesBefore;

    internal byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(capacity);

    /// <summary>Bytes that may be read. Read it after <see cref="Next"/>: a chunk that has a next one does not grow any more.</summary>
    internal int Used
    {
        get => Volatile.Read(ref _used);
        set => Volatile.Write(ref _used, value);
    }

    internal LogChunk? Next
    {
        get => Volatile.Read(ref _next);
        set => Volatile.Write(ref _next, value);
    }
}
