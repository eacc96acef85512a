namespace Mooring.Chat.Rooms;

/// <summary>What waits for a REST client: JSON objects, the oldest of which go when there are too many.</summary>
internal sealed class Mailbox(int messagesMax, int bytesMax)
{
    private readonly Lock _gate = new();
    private readonly Queue<Entry> _entries = new();
    private TaskCompletionSource _arrived = NewSignal();
    private int _bytes;
    private long _dropped;

    /// <summary>One message, with its place in its room for clients that come back.</summary>
    internal readonly record struct Entry(string Room, long Sequence, byte[] Json);

    internal void Add(Entry entry)
    {
        TaskCompletionSource arrived;
        lock (_gate)
        {
            while (_entries.Count > 0 && (_entries.Count >= messagesMax || _bytes + entry.Json.Length > bytesMax))
            {
                _bytes -= _entries.Dequeue().Json.Length;
                _dropped++;
            }
            _entries.Enqueue(entry);
            _bytes += entry.Json.Length;
            arrived = _arrived;
        }
        arrived.TrySetResult();
    }

    /// <summary>Takes everything, and the number of messages dropped since the last time.</summary>
    internal (IReadOnlyList<Entry> Entries, long Dropped) Take()
    {
        lock (_gate)
        {
            Entry[] entries = [.. _entries];
            _entries.Clear();
            _bytes = 0;
            var dropped = _dropped;
            _dropped = 0;
            if (_arrived.Task.IsCompleted) _arrived = NewSignal();
            return (entries, dropped);
        }
    }

    /// <summary>Completes when something is there, or when the session ends.</summary>
    internal Task ArrivedAsync()
    {
        lock (_gate) return _entries.Count > 0 ? Task.CompletedTask : _arrived.Task;
    }

    /// <summary>Wakes whoever waits, with nothing.</summary>
    internal void Wake()
    {
        lock (_gate) _arrived.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
