namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>Where an outgoing QoS 1 or 2 message stands.</summary>
internal enum InFlightStage : byte
{
    Free,
    AwaitingPubAck,
    AwaitingPubRec,
    AwaitingPubComp,
}

/// <summary>
/// Outgoing messages that are not acknowledged, in a ring indexed by packet id: ids are given in sequence and come back nearly in
/// order, so finding and freeing one is a mask and a compare. An id whose slot is still taken is skipped.
/// </summary>
internal sealed class InFlightRing
{
    private const int InitialSlots = 8;

    private Entry[] _slots = new Entry[InitialSlots];
    private ushort _lastId;
    private long _sequence;

    internal int Count { get; private set; }

    /// <summary>Bytes of messages that would have to be sent again.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Takes the next free packet id; the caller keeps <see cref="Count"/> below its window.</summary>
    internal ushort Add(in Delivery delivery)
    {
        // Half full at most: then a free slot is near even when old ids linger.
        if (Count * 2 >= _slots.Length)
        {
            Grow();
        }

        do
        {
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
        }
        while (SlotOf(_lastId).Stage != InFlightStage.Free);

        SlotOf(_lastId) = new Entry
        {
            Id = _lastId,
            Sequence = ++_sequence,
            Delivery = delivery,
            Stage = delivery.QualityOfService == QualityOfService.ExactlyOnce
                ? InFlightStage.AwaitingPubRec
                : InFlightStage.AwaitingPubAck,
        };
        Count++;
        Bytes += delivery.Message.Size;
        return _lastId;
    }

    /// <summary>Puts back what was in flight before a restart; called in the order of sending.</summary>
    internal void Restore(ushort id, InFlightStage stage, in Delivery delivery)
    {
        while (SlotOf(id).Stage != InFlightStage.Free)
        {
            Grow();
        }

        SlotOf(id) = new Entry { Id = id, Sequence = ++_sequence, Delivery = delivery, Stage = stage };
        _lastId = id;
        Count++;
        Bytes += delivery.Message?.Size ?? 0;
    }

    internal (InFlightStage Stage, Delivery Delivery) Find(ushort id)
    {
        ref var slot = ref SlotOf(id);
        return slot.Id == id ? (slot.Stage, slot.Delivery) : (InFlightStage.Free, default);
    }

    internal InFlightStage StageOf(ushort id)
    {
        ref var slot = ref SlotOf(id);
        return slot.Id == id ? slot.Stage : InFlightStage.Free;
    }

    /// <summary>PUBREC came: the payload is not needed any more, only PUBREL is repeated.</summary>
    internal void AwaitPubComp(ushort id)
    {
        ref var slot = ref SlotOf(id);
        slot.Stage = InFlightStage.AwaitingPubComp;
        Bytes -= slot.Delivery.Message.Size;
        slot.Delivery = default;
    }

    internal void Remove(ushort id)
    {
        ref var slot = ref SlotOf(id);
        Bytes -= slot.Delivery.Message?.Size ?? 0;
        slot = default;
        Count--;
    }

    /// <summary>Everything unacknowledged in the order it was sent (MQTT-4.4.0-1, MQTT-4.6.0-1).</summary>
    internal IEnumerable<(ushort Id, InFlightStage Stage, Delivery Delivery)> InOrder() =>
        _slots.Where(slot => slot.Stage != InFlightStage.Free)
            .OrderBy(slot => slot.Sequence)
            .Select(slot => (slot.Id, slot.Stage, slot.Delivery));

    private ref Entry SlotOf(ushort id) => ref _slots[id & (_slots.Length - 1)];

    private void Grow()
    {
        var former = _slots;
        _slots = new Entry[former.Length * 2];
        foreach (var entry in former)
        {
            if (entry.Stage != InFlightStage.Free)
            {
                SlotOf(entry.Id) = entry;
            }
        }
    }

    private struct Entry
    {
        internal ushort Id;
        internal InFlightStage Stage;
        internal long Sequence;
        internal Delivery Delivery;
    }
}
