namespace Mooring.Mqtt.Client.Sessions;

/// <summary>
/// Messages that wait to be sent, bounded in number and bytes, and behind them the publishers that wait for room. QoS 0 has a queue
/// of its own, because it may pass while the others wait for acknowledgements (MQTT-4.9.0-3). Needs the session's lock.
/// </summary>
internal sealed class SendQueue(int messagesMax, long bytesMax)
{
    private readonly PendingList _unacknowledged = new();
    private readonly PendingList _acknowledged = new();
    private readonly PendingList _waiting = new();
    private int _count;
    private long _bytes;
    private long _sequence;

    internal bool IsEmpty => _count == 0 && _waiting.First is null;

    internal int Count => _count;

    /// <summary>Takes the message, or has its publisher wait behind those that wait already.</summary>
    internal void Add(PendingPublish pending)
    {
        if (_waiting.First is null && HasRoomFor(pending)) Accept(pending);
        else _waiting.AddLast(pending);
    }

    /// <summary>Takes the oldest message that may be sent now; none overtakes one of its kind that must wait.</summary>
    internal bool TryTake(QualityOfService highest, out PendingPublish pending)
    {
        var (plain, acknowledged) = (_unacknowledged.First, _acknowledged.First);
        if (acknowledged?.QualityOfService > highest) acknowledged = null;
        var next = plain is null || (acknowledged is not null && acknowledged.Sequence < plain.Sequence) ? acknowledged : plain;
        pending = next!;
        if (next is null) return false;
        Remove(next);
        return true;
    }

    /// <summary>Puts back, in front of all others, what was sent on a session that the broker forgot.</summary>
    internal void PutBack(PendingPublish pending)
    {
        Count_NeedsLock(pending, 1);
        ListOf(pending).AddFirst(pending);
    }

    /// <summary>Takes out one that has not been sent; false when it is not here any more.</summary>
    internal bool TryRemove(PendingPublish pending)
    {
        if (pending.List is null) return false;
        Remove(pending);
        return true;
    }

    /// <summary>Takes out everything, waiting publishers included.</summary>
    internal bool TryTakeAny(out PendingPublish pending)
    {
        pending = (_unacknowledged.First ?? _acknowledged.First ?? _waiting.First)!;
        return pending is not null && TryRemove(pending);
    }

    private void Remove(PendingPublish pending)
    {
        var list = pending.List!;
        list.Remove(pending);
        if (list == _waiting) return;
        Count_NeedsLock(pending, -1);
        while (_waiting.First is { } next && HasRoomFor(next))
        {
            _waiting.Remove(next);
            Accept(next);
        }
    }

    private void Accept(PendingPublish pending)
    {
        pending.Sequence = ++_sequence;
        Count_NeedsLock(pending, 1);
        ListOf(pending).AddLast(pending);
        if (pending.CompletesWhenQueued) pending.TryComplete();
    }

    private bool HasRoomFor(PendingPublish pending) =>
        _count == 0 || (_count < messagesMax && _bytes + pending.Length <= bytesMax);

    private PendingList ListOf(PendingPublish pending) =>
        pending.QualityOfService == QualityOfService.AtMostOnce ? _unacknowledged : _acknowledged;

    private void Count_NeedsLock(PendingPublish pending, int sign)
    {
        _count += sign;
        _bytes += sign * pending.Length;
    }
}
