using Mooring.Mqtt.Broker.Routing;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>Retained messages that this session's new subscriptions still wait for.</summary>
internal sealed partial class Session
{
    private Dictionary<byte[], RetainedCursor>? _retained;

    internal void AwaitRetained(RetainedCursor cursor)
    {
        lock (_gate)
        {
            (_retained ??= new(1, Utf8Comparer.Instance))[cursor.Subscription.Key] = cursor;
        }
    }

    /// <summary>The same filter is subscribed once more, and begins again.</summary>
    internal void CancelRetained(byte[] key)
    {
        lock (_gate)
        {
            CancelRetained_NeedsLock(key);
        }
    }

    /// <summary>One step of one cursor; only the pump calls it. What is left to do, if anything.</summary>
    internal RetainedProgress StepRetained(long now)
    {
        RetainedCursor? cursor;
        lock (_gate)
        {
            cursor = _retained?.Values.FirstOrDefault();
            if (cursor is null || _connection is null)
            {
                return RetainedProgress.Idle;
            }
        }

        if (!HasRoomForRetained())
        {
            return RetainedProgress.Full;
        }

        if (!cursor.Step(now, HasRoomForRetained, delivery => Deliver(delivery)))
        {
            lock (_gate)
            {
                if (_retained?.GetValueOrDefault(cursor.Subscription.Key) == cursor)
                {
                    _retained.Remove(cursor.Subscription.Key);
                }
            }

            cursor.Dispose();
        }

        return RetainedProgress.Made;
    }

    /// <summary>Half of each bound is for what is published meanwhile.</summary>
    internal bool HasRoomForRetained() =>
        Connection is { } connection && connection.UnsentBytes <= limits.OutboundBufferBytes / 2
        && Waiting <= limits.QueuedMessages / 2 && Volatile.Read(ref _waitingBytes) <= limits.QueuedBytes / 2;

    private void CancelRetained_NeedsLock(byte[] key)
    {
        if (_retained is not null && _retained.Remove(key, out var cursor))
        {
            cursor.Cancel();
        }
    }
}

/// <summary>What a step of retained messages came to.</summary>
internal enum RetainedProgress
{
    /// <summary>Nothing is left, or nobody is there.</summary>
    Idle,

    /// <summary>The client has to take something first.</summary>
    Full,

    /// <summary>There may be more.</summary>
    Made,
}
