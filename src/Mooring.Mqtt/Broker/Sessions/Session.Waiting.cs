using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>
/// Messages that wait until the client takes more. When a connected client has nearly as many as it may keep, those who publish to it
/// wait a little.
/// </summary>
internal sealed partial class Session
{
    private PublisherHold? _hold;

    /// <inheritdoc/>
    public long? TryHold(BrokerConnection publisher)
    {
        lock (_gate)
        {
            if (_connection is null || HasRoomForPublishers_NeedsLock()) return null;
            _hold ??= new PublisherHold(limits.PublisherHold);
            return _hold.TryAdd(publisher, publisher.Now);
        }
    }

    private bool IsCrowded_NeedsLock() =>
        _connection is not null && (_waiting!.Count > limits.QueuedMessages / 4 * 3 || _waitingBytes > limits.QueuedBytes / 4 * 3);

    private bool HasRoomForPublishers_NeedsLock() => Waiting <= limits.QueuedMessages / 2 && _waitingBytes <= limits.QueuedBytes / 2;

    /// <summary>The connection has room again: a client may acknowledge many at a time, so its acknowledgements are not waited for.</summary>
    internal void SendWaiting(BrokerConnection connection)
    {
        lock (_gate)
        {
            if (_connection == connection && Waiting > 0)
            {
                SendWaiting_NeedsLock();
            }
        }
    }

    private void SendWaiting_NeedsLock()
    {
        if (_connection is not { } connection)
        {
            return;
        }

        Resend_NeedsLock(connection);
        while (_waiting is { Count: > 0 } && MayGo_NeedsLock(connection))
        {
            var journal = Journal_NeedsLock();
            var delivery = _waiting.Dequeue();
            CountWaiting_NeedsLock(-delivery.Message.Size);
            ushort id = 0;
            if (delivery.Message.IsExpired(connection.Now))
            {
                counters.DroppedExpired();
            }
            else if (!connection.Accepts(delivery))
            {
                counters.DroppedTooLarge();
            }
            else if (Permissions?.MayReceive(delivery.Message.Topic) == false)
            {
                // What waited may be forbidden by now.
                counters.DroppedNotAllowed();
            }
            else
            {
                id = Add_NeedsLock(delivery);
            }

            journal?.Dequeued(Number, id);
            if (id != 0)
            {
                Send_NeedsLock(connection, id, delivery);
            }
        }

        if (_hold is not null && HasRoomForPublishers_NeedsLock())
        {
            _hold.Release();
        }
    }

    /// <summary>
    /// Whether another message may go. What the client does not take, or does not acknowledge, waits here within the queue's bounds
    /// instead of growing an output buffer. One is always in flight, and its acknowledgement lets the next one go.
    /// </summary>
    private bool MayGo_NeedsLock(BrokerConnection connection) =>
        _inFlight is not { Count: > 0 } flying
        || (!MustResend && flying.Count < connection.OutboundWindow && flying.Bytes <= limits.QueuedBytes
            && (connection.UnsentBytes <= limits.OutboundBufferBytes || connection.MakesRoom()));

    private void Wait_NeedsLock(in Delivery delivery)
    {
        if (_isDiscarded)
        {
            return;
        }

        var journal = Journal_NeedsLock();
        _waiting ??= new Queue<Delivery>(capacity: 4);
        _waiting.Enqueue(delivery);
        journal?.Queued(Number, delivery);
        CountWaiting_NeedsLock(delivery.Message.Size);
        while (_waiting.Count > limits.QueuedMessages || _waitingBytes > limits.QueuedBytes
            || (counters.QueuedBytes > limits.QueuedBytesTotal && _waitingBytes > limits.QueuedBytesTotal / limits.Sessions))
        {
            CountWaiting_NeedsLock(-_waiting.Dequeue().Message.Size);
            journal?.Dequeued(Number, 0);
            counters.DroppedQueueFull();
        }

        if (IsCrowded_NeedsLock() && delivery.Message.Publisher is { } publisher && publisher != this)
        {
            publisher.Connection?.Crowds(this);
        }
    }

    private void CountWaiting_NeedsLock(long bytes)
    {
        _waitingBytes += bytes;
        counters.Queued(bytes);
    }
}
