using System.Text;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>One method for each record. Those about a session are called under its lock, so records stand in the order of events.</summary>
internal sealed partial class Journal
{
    private int _recordStart;
    private RecordType _recordType;

    internal int NextSession() => Interlocked.Increment(ref _sessions);

    /// <summary>Something that should have been recorded was not: whatever depends on it must not leave.</summary>
    internal void Miss()
    {
        lock (_gate)
        {
            _appended++;
        }
    }

    /// <summary>Everything up to <see cref="SessionEnd"/> replaces what was known of the session.</summary>
    internal void SessionBegin(Session session)
    {
        var clientId = Encoding.UTF8.GetBytes(session.ClientId);
        var user = session.UserName is { } name ? Encoding.UTF8.GetBytes(name) : [];
        lock (_gate)
        {
            var body = Begin(RecordType.SessionBegin, 21 + clientId.Length + user.Length);
            body.UInt32((uint)session.Number);
            body.UInt32(session.ExpirySeconds);
            body.Int64(ToWallClock(session.EndsAt));
            body.Block(clientId);
            body.Byte((byte)(session.UserName is null ? 0 : 1));
            body.Bytes(user);
            End();
        }
    }

    internal void SessionEnd(int session) => Short(RecordType.SessionEnd, session);

    internal void SessionState(Session session)
    {
        lock (_gate)
        {
            var body = Begin(RecordType.SessionState, 16);
            body.UInt32((uint)session.Number);
            body.UInt32(session.ExpirySeconds);
            body.Int64(ToWallClock(session.EndsAt));
            End();
        }
    }

    internal void SessionGone(int session) => Short(RecordType.SessionGone, session);

    internal void Subscribed(int session, Subscription subscription)
    {
        lock (_gate)
        {
            var body = Begin(RecordType.Subscribed, 9 + subscription.Key.Length);
            body.UInt32((uint)session);
            body.Byte(subscription.Options);
            body.UInt32(subscription.Identifier);
            body.Bytes(subscription.Key);
            End();
        }
    }

    internal void Unsubscribed(int session, byte[] key)
    {
        lock (_gate)
        {
            var body = Begin(RecordType.Unsubscribed, 4 + key.Length);
            body.UInt32((uint)session);
            body.Bytes(key);
            End();
        }
    }

    internal void Queued(int session, in Delivery delivery) => Delivered(RecordType.Queued, session, 0, delivery);

    internal void Sent(int session, ushort id, in Delivery delivery) => Delivered(RecordType.Sent, session, id, delivery);

    /// <summary>The head of the queue was sent with <paramref name="id"/>, or dropped (0).</summary>
    internal void Dequeued(int session, ushort id) => Short(RecordType.Dequeued, session, id);

    internal void Released(int session, ushort id) => Short(RecordType.Released, session, id);

    internal void Done(int session, ushort id) => Short(RecordType.Done, session, id);

    /// <summary>A QoS 2 message came in; <paramref name="message"/> is null when it has been routed already.</summary>
    internal void Received(int session, ushort id, RoutedMessage? message)
    {
        lock (_gate)
        {
            var number = message is null ? 0 : NumberOf_NeedsGate(message);
            var body = Begin(RecordType.Received, 14);
            body.UInt32((uint)session);
            body.UInt16(id);
            body.Int64(number);
            End();
        }

        KeepBounded();
    }

    internal void Routed(int session, ushort id) => Short(RecordType.Routed, session, id);

    internal void Forgotten(int session, ushort id) => Short(RecordType.Forgotten, session, id);

    internal void Retained(RoutedMessage message)
    {
        lock (_gate)
        {
            var number = NumberOf_NeedsGate(message);
            var body = Begin(RecordType.Retained, 8);
            body.Int64(number);
            End();
        }

        KeepBounded();
    }

    internal void RetainedGone(ReadOnlySpan<byte> topic)
    {
        lock (_gate)
        {
            var body = Begin(RecordType.RetainedGone, topic.Length);
            body.Bytes(topic);
            End();
        }

        KeepBounded();
    }

    /// <summary>A will that waits, or would wait if the process died now: then <paramref name="dueAt"/> is null.</summary>
    internal void Will(int session, Will will, long? dueAt)
    {
        lock (_gate)
        {
            var number = NumberOf_NeedsGate(will.Message);
            var body = Begin(RecordType.Will, 28);
            body.UInt32((uint)session);
            body.UInt32(will.DelaySeconds);
            body.UInt32(will.ExpirySeconds ?? uint.MaxValue);
            body.Int64(ToWallClock(dueAt));
            body.Int64(number);
            End();
        }

        KeepBounded();
    }

    internal void WillGone(int session) => Short(RecordType.WillGone, session);

    private void Delivered(RecordType type, int session, ushort id, in Delivery delivery)
    {
        lock (_gate)
        {
            var number = NumberOf_NeedsGate(delivery.Message);
            var body = Begin(type, 15 + (delivery.Identifiers.Length * 4));
            body.UInt32((uint)session);
            body.UInt16(id);
            body.Int64(number);
            body.Byte((byte)((int)delivery.QualityOfService | (delivery.Retain ? 4 : 0)));
            foreach (var identifier in delivery.Identifiers)
            {
                body.UInt32(identifier);
            }

            End();
        }

        KeepBounded();
    }

    private void Short(RecordType type, int session, ushort? id = null)
    {
        lock (_gate)
        {
            var body = Begin(type, id is null ? 4 : 6);
            body.UInt32((uint)session);
            if (id is { } number)
            {
                body.UInt16(number);
            }

            End();
        }

        KeepBounded();
    }

    /// <summary>A message is written once in each epoch, however many sessions get it.</summary>
    private long NumberOf_NeedsGate(RoutedMessage message)
    {
        if (message.JournalEpoch == _epoch && message.JournalNumber != 0)
        {
            return message.JournalNumber;
        }

        if (message.JournalNumber == 0)
        {
            message.JournalNumber = ++_messages;
        }

        var body = Begin(RecordType.Message, 25 + message.Topic.Length + message.Properties.Length + message.Payload.Length);
        body.Int64(message.JournalNumber);
        body.Byte((byte)((int)message.QualityOfService | (message.Retain ? 4 : 0)));
        body.Int64(ToWallClock(message.ExpiresAt));
        body.Block(message.Topic);
        body.Block(message.Properties);
        body.Bytes(message.Payload);
        End();
        message.JournalEpoch = _isWritable ? _epoch : 0;
        return message.JournalNumber;
    }

    private RecordWriter Begin(RecordType type, int length)
    {
        var needed = RecordFrame.HeaderBytes + length;
        if (_pending.Length - _pendingLength < needed)
        {
            Array.Resize(ref _pending, Math.Max(_pending.Length * 2, _pendingLength + needed));
        }

        _recordStart = _pendingLength;
        _recordType = type;
        _pendingLength += needed;
        return new RecordWriter(_pending.AsSpan(_recordStart + RecordFrame.HeaderBytes, length));
    }

    private void End()
    {
        var length = _pendingLength - _recordStart;
        Volatile.Write(ref _appended, _appended + length);
        if (!_isWritable)
        {
            _pendingLength = _recordStart;
            return;
        }

        RecordFrame.Seal(_pending.AsSpan(_recordStart, length), _recordType, _salt);
    }

    private void KeepBounded()
    {
        if (Volatile.Read(ref _pendingLength) > _options.PendingBytes)
        {
            Commit();
        }
    }
}
