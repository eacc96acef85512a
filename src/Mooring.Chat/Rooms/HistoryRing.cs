namespace Mooring.Chat.Rooms;

/// <summary>One message that is kept.</summary>
/// <param name="Sequence">Its number in the room.</param>
/// <param name="Id">Its number in the server.</param>
/// <param name="Sender">Who sent it.</param>
/// <param name="UnixMilliseconds">When it was accepted.</param>
/// <param name="Text">UTF-8, as it was sent.</param>
internal sealed record KeptMessage(long Sequence, long Id, string Sender, long UnixMilliseconds, byte[] Text);

/// <summary>The last messages of a room. Slots are used again with their buffers, so that keeping a message costs a copy and no garbage.</summary>
internal sealed class HistoryRing(int capacity)
{
    private readonly Slot[] _slots = new Slot[capacity];
    private long _added;

    /// <summary>Sequence number of the oldest message kept, or of the next one when there is none.</summary>
    internal long OldestOr(long next) => _added == 0 || capacity == 0 ? next : _slots[(int)(Math.Max(_added - capacity, 0) % capacity)].Sequence;

    internal void Add(long sequence, long id, string sender, long unixMilliseconds, ReadOnlySpan<byte> text)
    {
        if (capacity == 0) return;
        ref var slot = ref _slots[(int)(_added++ % capacity)];
        if (slot.Text is null || slot.Text.Length < text.Length) slot.Text = new byte[text.Length];
        text.CopyTo(slot.Text);
        slot.Length = text.Length;
        slot.Sequence = sequence;
        slot.Id = id;
        slot.Sender = sender;
        slot.UnixMilliseconds = unixMilliseconds;
        slot.IsDeleted = false;
    }

    /// <summary>The messages after <paramref name="sequence"/> that are not older than <paramref name="notBefore"/>, oldest first.</summary>
    internal List<KeptMessage> After(long sequence, long notBefore)
    {
        var kept = new List<KeptMessage>();
        for (var i = Math.Max(_added - capacity, 0); i < _added; i++)
        {
            ref var slot = ref _slots[(int)(i % capacity)];
            if (slot.IsDeleted || slot.Sequence <= sequence || slot.UnixMilliseconds < notBefore) continue;
            kept.Add(new KeptMessage(slot.Sequence, slot.Id, slot.Sender!, slot.UnixMilliseconds, slot.Text.AsSpan(0, slot.Length).ToArray()));
        }
        return kept;
    }

    internal bool Delete(long sequence)
    {
        for (var i = Math.Max(_added - capacity, 0); i < _added; i++)
        {
            ref var slot = ref _slots[(int)(i % capacity)];
            if (slot.Sequence != sequence || slot.IsDeleted) continue;
            slot.IsDeleted = true;
            return true;
        }
        return false;
    }

    private struct Slot
    {
        internal long Sequence;
        internal long Id;
        internal string? Sender;
        internal long UnixMilliseconds;
        internal byte[]? Text;
        internal int Length;
        internal bool IsDeleted;
    }
}
