using System.Text;
using Mooring.Mqtt.Broker.Routing;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>
/// Builds the state from records. A record that names something unknown is passed over: what it named was deleted, or lost with a
/// damaged record.
/// </summary>
internal sealed class JournalReplay(long wallClockOrigin)
{
    private readonly Dictionary<long, StoredMessage> _messages = [];
    private readonly Dictionary<uint, StoredSession> _sessions = [];
    private readonly Dictionary<uint, StoredSession> _unfinished = [];
    private readonly Dictionary<byte[], (StoredMessage Message, int Checkpoint)> _retained = new(Utf8Comparer.Instance);
    private readonly Dictionary<(uint Session, ushort Id), StoredIntent> _intents = [];
    private int _checkpoint;
    private int _lastSession;
    private long _lastMessage;

    internal void Apply(RecordType type, ReadOnlySpan<byte> body)
    {
        try
        {
            Read(type, new RecordReader(body));
        }
        catch (InvalidDataException)
        {
            // Its checksum is right: it was written so, by a program that was wrong. The rest is not to be lost for it.
        }
    }

    internal StoredState Finish()
    {
        // A session that was being written whole when the process died is known from before, unless it was new.
        foreach (var (number, session) in _unfinished)
        {
            _sessions.TryAdd(number, session);
        }

        var sessions = new Dictionary<string, StoredSession>(StringComparer.Ordinal);
        foreach (var session in _sessions.Values.OrderBy(session => session.Number))
        {
            sessions[session.ClientId] = session;
        }

        return new StoredState(
            sessions.Values, [.. _retained.Values.Select(kept => kept.Message)], [.. _intents.Values], _lastSession, _lastMessage);
    }

    private void Read(RecordType type, RecordReader body)
    {
        switch (type)
        {
            case RecordType.Message:
                ReadMessage(body);
                break;
            case RecordType.Retained:
                if (_messages.TryGetValue(body.Int64(), out var retained))
                {
                    _retained[retained.Routed.Topic.ToArray()] = (retained, _checkpoint);
                }

                break;
            case RecordType.RetainedGone:
                _retained.Remove(body.Rest.ToArray());
                break;
            case RecordType.CheckpointBegin:
                _checkpoint++;
                break;
            case RecordType.CheckpointEnd:
                DropWhatWasNotWrittenAnew();
                break;
            default:
                ReadSession(type, body.UInt32(), body);
                break;
        }
    }

    private void ReadSession(RecordType type, uint number, RecordReader body)
    {
        switch (type)
        {
            case RecordType.SessionBegin:
                var (expiry, endsAt) = (body.UInt32(), body.Int64());
                _lastSession = Math.Max(_lastSession, (int)number);
                var clientId = Encoding.UTF8.GetString(body.Block());
                var hasUser = body.Byte() == 1;
                _unfinished[number] = new StoredSession((int)number, clientId, hasUser ? Encoding.UTF8.GetString(body.Rest) : null)
                {
                    ExpirySeconds = expiry,
                    EndsAt = endsAt,
                    Checkpoint = _checkpoint,
                };
                return;
            case RecordType.SessionEnd:
                if (_unfinished.Remove(number, out var whole))
                {
                    _sessions[number] = whole;
                }

                return;
            case RecordType.SessionGone:
                _sessions.Remove(number);
                _unfinished.Remove(number);
                return;
        }

        if (_unfinished.TryGetValue(number, out var session) || _sessions.TryGetValue(number, out session))
        {
            ReadChange(type, number, session, body);
        }
    }

    private void ReadChange(RecordType type, uint number, StoredSession session, RecordReader body)
    {
        switch (type)
        {
            case RecordType.SessionState:
                (session.ExpirySeconds, session.EndsAt) = (body.UInt32(), body.Int64());
                break;
            case RecordType.Subscribed:
                var (options, identifier) = (body.Byte(), body.UInt32());
                session.Subscriptions[body.Rest.ToArray()] = (options, identifier);
                break;
            case RecordType.Unsubscribed:
                session.Subscriptions.Remove(body.Rest.ToArray());
                break;
            case RecordType.Queued:
                ReadDelivery(session, ref body, out _, out var waiting);
                session.Waiting.Enqueue(waiting);
                break;
            case RecordType.Sent:
                ReadDelivery(session, ref body, out var sentId, out var sent);
                session.Sent(sentId, sent);
                break;
            case RecordType.Dequeued:
                var dequeuedId = body.UInt16();
                if (session.Waiting.TryDequeue(out var head) && dequeuedId != 0)
                {
                    session.Sent(dequeuedId, head);
                }

                break;
            case RecordType.Released:
                session.Released(body.UInt16());
                break;
            case RecordType.Done:
                session.Done(body.UInt16());
                break;
            default:
                ReadInbound(type, number, session, body);
                break;
        }
    }

    private void ReadInbound(RecordType type, uint number, StoredSession session, RecordReader body)
    {
        switch (type)
        {
            case RecordType.Received:
                var id = body.UInt16();
                session.Received.Add(id);
                if (_messages.TryGetValue(body.Int64(), out var message))
                {
                    _intents[(number, id)] = new StoredIntent(message, new HashSet<string>(StringComparer.Ordinal));
                }

                break;
            case RecordType.Routed:
                _intents.Remove((number, body.UInt16()));
                break;
            case RecordType.Forgotten:
                var forgotten = body.UInt16();
                session.Received.Remove(forgotten);
                _intents.Remove((number, forgotten));
                break;
            case RecordType.Will:
                var (delay, expiry, dueAt) = (body.UInt32(), body.UInt32(), body.Int64());
                session.Will = _messages.TryGetValue(body.Int64(), out var will)
                    ? new StoredWill(will, delay, expiry == uint.MaxValue ? null : expiry, dueAt)
                    : null;
                break;
            case RecordType.WillGone:
                session.Will = null;
                break;
            default:
                throw new InvalidDataException($"a record of type {type}");
        }
    }

    private void ReadMessage(RecordReader body)
    {
        var number = body.Int64();
        _lastMessage = Math.Max(_lastMessage, number);
        var flags = body.Byte();
        var expiresAt = body.Int64();
        var topic = body.Block();
        var properties = body.Block();
        _messages[number] = new StoredMessage(number, RoutedMessage.Create(
            topic, body.Rest, (QualityOfService)(flags & 3), (flags & 4) != 0, properties.ToArray(),
            expiresAt == 0 ? null : expiresAt - wallClockOrigin));
    }

    private void ReadDelivery(StoredSession session, ref RecordReader body, out ushort id, out StoredDelivery delivery)
    {
        id = body.UInt16();
        var number = body.Int64();
        var flags = body.Byte();
        var identifiers = new uint[body.Rest.Length / 4];
        for (var i = 0; i < identifiers.Length; i++)
        {
            identifiers[i] = body.UInt32();
        }

        var message = _messages.GetValueOrDefault(number);
        delivery = new StoredDelivery(message, (QualityOfService)(flags & 3), (flags & 4) != 0, identifiers);
        foreach (var intent in _intents.Values)
        {
            if (intent.Message == message)
            {
                intent.Reached.Add(session.ClientId);
            }
        }
    }

    private void DropWhatWasNotWrittenAnew()
    {
        foreach (var (number, session) in _sessions)
        {
            if (session.Checkpoint < _checkpoint)
            {
                _sessions.Remove(number);
            }
        }

        foreach (var (topic, kept) in _retained)
        {
            if (kept.Checkpoint < _checkpoint)
            {
                _retained.Remove(topic);
            }
        }
    }
}
