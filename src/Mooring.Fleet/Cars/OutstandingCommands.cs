namespace Mooring.Fleet.Cars;

/// <summary>
/// Commands that wait for their response, oldest first. Answers may come in any order; what is released comes out in the
/// order of sending.
/// </summary>
/// <param name="first">Counter of the first command.</param>
internal sealed class OutstandingCommands(uint first = 0)
{
    private readonly Queue<Entry> _entries = [];

    internal int Count => _entries.Count;

    internal TimeSpan Deadline => _entries.TryPeek(out var head) ? head.Deadline : TimeSpan.MaxValue;

    internal uint Next { get; private set; } = first;

    /// <summary>Assigns the next counter, modulo 2^32, and remembers the command.</summary>
    internal uint Add(CarCommand command, ModuleSlot? slot, TimeSpan deadline)
    {
        var counter = Next;
        Next = unchecked(Next + 1);
        _entries.Enqueue(new Entry(counter, command, slot, deadline));
        return counter;
    }

    /// <summary>Marks the command as answered; null when none waits for this counter.</summary>
    internal Entry? Answer(uint counter, bool delivered)
    {
        foreach (var entry in _entries)
        {
            if (entry.Counter != counter || entry.Answered) continue;
            entry.Answered = true;
            entry.Delivered = delivered;
            return entry;
        }
        return null;
    }

    /// <summary>The oldest command, when it is answered.</summary>
    internal bool TryRelease(out Entry released)
    {
        if (!_entries.TryPeek(out released!) || !released.Answered) return false;
        _entries.Dequeue();
        return true;
    }

    /// <summary>Forgets all; the counter goes on.</summary>
    internal IReadOnlyList<Entry> Clear()
    {
        Entry[] left = [.. _entries.Where(e => !e.Delivered)];
        _entries.Clear();
        return left;
    }

    internal sealed class Entry(uint counter, CarCommand command, ModuleSlot? slot, TimeSpan deadline)
    {
        internal uint Counter => counter;

        internal CarCommand Command => command;

        internal ModuleSlot? Slot => slot;

        internal TimeSpan Deadline => deadline;

        internal bool Answered { get; set; }

        internal bool Delivered { get; set; }
    }
}
