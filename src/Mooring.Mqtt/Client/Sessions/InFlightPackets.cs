namespace Mooring.Mqtt.Client.Sessions;

/// <summary>What the client waits for under a packet identifier.</summary>
internal enum InFlightStage : byte
{
    /// <summary>The identifier is not in use.</summary>
    Free,
    PubAck,
    PubRec,
    PubComp,
    SubAck,
    UnsubAck,
}

/// <summary>
/// Packet identifiers in use, in a ring: ids are given in sequence and come back nearly in order, so that finding and freeing one
/// is a mask and a compare. An id whose slot is still taken is skipped (MQTT-2.2.1-3). Needs the session's lock.
/// </summary>
internal sealed class InFlightPackets
{
    private const int InitialSlots = 8;
    private const int SlotsMax = 65_536;

    private Slot[] _slots = new Slot[InitialSlots];
    private ushort _lastId;
    private long _sequence;

    internal int Count { get; private set; }

    /// <summary>No more than half of the ids are given out, so that a free one is always near.</summary>
    internal bool HasRoom => Count < SlotsMax / 2;

    internal ushort Add(InFlightStage stage, object item)
    {
        if (Count * 2 >= _slots.Length && _slots.Length < SlotsMax) Grow();
        do
        {
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
        }
        while (SlotOf(_lastId).Stage != InFlightStage.Free);
        SlotOf(_lastId) = new Slot { Id = _lastId, Stage = stage, Sequence = ++_sequence, Item = item };
        Count++;
        return _lastId;
    }

    internal InFlightStage StageOf(ushort id)
    {
        ref var slot = ref SlotOf(id);
        return slot.Id == id ? slot.Stage : InFlightStage.Free;
    }

    internal T ItemOf<T>(ushort id)
        where T : class => (T)SlotOf(id).Item!;

    /// <summary>PUBREC came: only PUBREL is repeated from now on.</summary>
    internal void AwaitPubComp(ushort id) => SlotOf(id).Stage = InFlightStage.PubComp;

    internal void Remove(ushort id)
    {
        SlotOf(id) = default;
        Count--;
    }

    /// <summary>Everything in use, in the order it was first sent (MQTT-4.6.0-1).</summary>
    internal IReadOnlyList<(ushort Id, InFlightStage Stage, object Item)> InOrder() =>
        [.. _slots.Where(slot => slot.Stage != InFlightStage.Free).OrderBy(slot => slot.Sequence).Select(slot => (slot.Id, slot.Stage, slot.Item!))];

    private ref Slot SlotOf(ushort id) => ref _slots[id & (_slots.Length - 1)];

    private void Grow()
    {
        var former = _slots;
        _slots = new Slot[former.Length * 2];
        foreach (var slot in former)
        {
            if (slot.Stage != InFlightStage.Free) SlotOf(slot.Id) = slot;
        }
    }

    private struct Slot
    {
        internal ushort Id;
        internal InFlightStage Stage;
        internal long Sequence;
        internal object? Item;
    }
}
