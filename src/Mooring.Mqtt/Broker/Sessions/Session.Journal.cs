using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Persistence;
using Mooring.Mqtt.Broker.Routing;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>How a session that outlives its connection also outlives the process.</summary>
internal sealed partial class Session
{
    private Journal? _journal;
    private int _epoch;

    /// <summary>Its number in the journal.</summary>
    internal int Number { get; private set; }

    /// <summary>Whether it is in the journal: it outlives its connection, and the broker has a data folder.</summary>
    internal bool IsDurable => Volatile.Read(ref _journal) is not null;

    /// <summary>
    /// Records how long the session lives, or that it is no longer kept; called after each change of its expiry, under the broker's
    /// connect lock.
    /// </summary>
    internal void KeepIn(Journal? journal)
    {
        if (journal is null || Local is not null)
        {
            return;
        }

        lock (_gate)
        {
            if (ExpirySeconds == 0)
            {
                LeaveJournal_NeedsLock();
            }
            else if (_journal is null)
            {
                Number = Number == 0 ? journal.NextSession() : Number;
                _epoch = 0;
                Volatile.Write(ref _journal, journal);
                Journal_NeedsLock();
            }
            else
            {
                Journal_NeedsLock()?.SessionState(this);
            }
        }
    }

    /// <summary>The session has ended: what it held is given back.</summary>
    internal void Discard()
    {
        lock (_gate)
        {
            LeaveJournal_NeedsLock();
            CountWaiting_NeedsLock(-_waitingBytes);
            _isDiscarded = true;
            _waiting = null;
            _inFlight = null;
        }
    }

    /// <summary>Sets or clears the will that outlives the connection; <paramref name="dueAt"/> is null while the client is connected.</summary>
    internal void SetDelayedWill(Will? will, long? dueAt)
    {
        lock (_gate)
        {
            var journal = Journal_NeedsLock();
            if (will is not null)
            {
                journal?.Will(Number, will, dueAt);
            }
            else if (_pendingWill is not null)
            {
                journal?.WillGone(Number);
            }

            _pendingWill = will;
            DelayedWill = will is not null && dueAt is { } due ? (will, due) : null;
        }
    }

    /// <summary>Writes the whole session for a checkpoint.</summary>
    internal void WriteWhole()
    {
        lock (_gate)
        {
            if (_journal is { IsWritable: true } journal && _epoch < journal.Epoch)
            {
                WriteWhole_NeedsLock(journal);
            }
        }
    }

    /// <summary>Takes over what the journal knows of a session; its subscriptions are the broker's to restore.</summary>
    internal void Restore(StoredSession stored, long now, long wallClockOrigin)
    {
        lock (_gate)
        {
            Number = stored.Number;
            ExpirySeconds = stored.ExpirySeconds;
            // A client that was connected lost its connection now.
            EndsAt = stored.EndsAt == 0 ? now + (stored.ExpirySeconds * 1000L) : stored.EndsAt - wallClockOrigin;
            foreach (var (id, delivery) in stored.InFlight)
            {
                RestoreInFlight_NeedsLock(id, delivery);
            }

            foreach (var delivery in stored.Waiting.Where(delivery => delivery.Message is not null))
            {
                (_waiting ??= new Queue<Delivery>(capacity: 4)).Enqueue(ToDelivery(delivery));
                CountWaiting_NeedsLock(delivery.Message!.Routed.Size);
            }

            if (stored.Received.Count > 0)
            {
                _received = [.. stored.Received];
            }

            if (stored.Will is { } will)
            {
                _pendingWill = new Will(will.Message.Routed, will.ExpirySeconds, will.DelaySeconds);
                var dueAt = will.DueAt == 0
                    ? now + (Math.Min(will.DelaySeconds, ExpirySeconds) * 1000L)
                    : will.DueAt - wallClockOrigin;
                DelayedWill = (_pendingWill, dueAt);
            }
        }
    }

    private Will? _pendingWill;

    private void RestoreInFlight_NeedsLock(ushort id, StoredDelivery? delivery)
    {
        var ring = _inFlight ??= new InFlightRing();
        if (delivery is not { } sent)
        {
            ring.Restore(id, InFlightStage.AwaitingPubComp, default);
        }
        else if (sent.Message is not null)
        {
            ring.Restore(
                id, sent.QualityOfService == QualityOfService.ExactlyOnce ? InFlightStage.AwaitingPubRec : InFlightStage.AwaitingPubAck,
                ToDelivery(sent));
        }
    }

    private static Delivery ToDelivery(in StoredDelivery stored) =>
        new(stored.Message!.Routed, stored.QualityOfService, stored.Retain, stored.Identifiers);

    /// <summary>
    /// The journal, if this session is in it and it can be written. To be asked before anything is changed: after a time in which
    /// nothing could be recorded, the session is written whole first.
    /// </summary>
    private Journal? Journal_NeedsLock()
    {
        if (_journal is not { } journal)
        {
            return null;
        }

        if (!journal.IsWritable)
        {
            journal.Miss();
            return null;
        }

        if (_epoch < journal.BaseEpoch)
        {
            WriteWhole_NeedsLock(journal);
        }

        return journal;
    }

    private void HoldOutput_NeedsLock(BrokerConnection connection)
    {
        if (_journal is { } journal)
        {
            connection.HoldOutput(journal);
        }
    }

    private void LeaveJournal_NeedsLock()
    {
        if (_journal is { } journal)
        {
            journal.SessionGone(Number);
            Volatile.Write(ref _journal, null);
        }
    }

    private void WriteWhole_NeedsLock(Journal journal)
    {
        _epoch = journal.Epoch;
        journal.SessionBegin(this);
        foreach (var subscription in _subscriptions?.Values ?? Enumerable.Empty<Subscription>())
        {
            journal.Subscribed(Number, subscription);
        }

        foreach (var (id, stage, delivery) in _inFlight?.InOrder() ?? [])
        {
            if (stage == InFlightStage.AwaitingPubComp)
            {
                journal.Released(Number, id);
            }
            else
            {
                journal.Sent(Number, id, delivery);
            }
        }

        foreach (var delivery in _waiting ?? Enumerable.Empty<Delivery>())
        {
            journal.Queued(Number, delivery);
        }

        foreach (var id in _received ?? Enumerable.Empty<ushort>())
        {
            journal.Received(Number, id, message: null);
        }

        if (_pendingWill is { } will)
        {
            journal.Will(Number, will, DelayedWill?.DueAt);
        }

        journal.SessionEnd(Number);
    }
}
