using System.Text;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>
/// A room. Everything that enters it passes <see cref="Append_NeedsLock"/>, one message after the other, which gives its members one
/// order; a room that spans processes would put its link there. Members are a list that is replaced, so that the fan-out walks it
/// without a lock.
/// </summary>
internal sealed partial class Room
{
    private static readonly int Formats = Enum.GetValues<MessageFormat>().Length;

    private readonly Lock _gate = new();
    private readonly RoomLog?[] _logs = new RoomLog?[Formats];
    private readonly HistoryRing _history;
    private readonly ChatHub _hub;
    private MemberList _members = MemberList.Empty;
    private TokenBucket _bucket;
    private long _lastSequence;
    private int _mailboxes;
    private int _receivers;
    private int _isMarked;

    internal Room(ChatHub hub, string name, string createdBy, long createdAt, long number)
    {
        _hub = hub;
        Name = name;
        NameUtf8 = Encoding.UTF8.GetBytes(name);
        CreatedBy = createdBy;
        CreatedAt = createdAt;
        Number = number;
        EmptySince = hub.SteadyNow;
        _history = new HistoryRing(hub.Options.Limits.HistorySize);
    }

    internal string Name { get; }

    internal byte[] NameUtf8 { get; }

    internal string CreatedBy { get; }

    /// <summary>Unix milliseconds.</summary>
    internal long CreatedAt { get; }

    /// <summary>Order of creation.</summary>
    internal long Number { get; }

    /// <summary>Since when nobody is in it, in milliseconds of steady time.</summary>
    internal long EmptySince { get; private set; }

    internal string Topic { get; set; } = "";

    internal MemberList Members => Volatile.Read(ref _members);

    internal long LastSequence => Volatile.Read(ref _lastSequence);

    /// <summary>A client's message. It leaves when the hub's outbox is flushed, once for a batch.</summary>
    internal Outcome Publish(Session? session, Membership? from, string sender, ReadOnlySpan<byte> senderUtf8, ReadOnlySpan<byte> text, bool isPlain, out Receipt receipt)
    {
        receipt = default;
        var now = _hub.Now;
        lock (_gate)
        {
            if (_hub.IsDraining) return new Outcome(ChatError.ShuttingDown, "the server is going down");
            if (IsMuted_NeedsLock(sender, session, now)) return new Outcome(ChatError.Muted, "you may not speak in this room");
            if (!_bucket.TryTake(_hub.Options.Limits.RoomRate, _hub.Options.Limits.RateBurst, _hub.SteadyNow, out var wait))
                return Outcome.TooFast(wait, "the room is busy");
            if (from is not null && !TryMarkSent_NeedsLock(from)) return new Outcome(ChatError.NotMember, $"{sender} is not in {Name}");
            var message = new ChatMessage
            {
                Kind = MessageKind.Room,
                Room = NameUtf8,
                Sender = senderUtf8,
                Text = text,
                IsPlain = isPlain,
                Sequence = _lastSequence + 1,
                Id = _hub.NextMessageId(),
                Epoch = _hub.Epoch,
                UnixMilliseconds = now,
            };
            Volatile.Write(ref _lastSequence, message.Sequence);
            _history.Add(message.Sequence, message.Id, sender, now, text);
            if (_hub.IsHistoryDurable) _hub.Keep(this, new KeptMessage(message.Sequence, message.Id, sender, now, text.ToArray()));
            Append_NeedsLock(message);
            receipt = new Receipt(message.Sequence, message.Id, now, _receivers);
            _hub.Counters.Accepted(_receivers);
        }
        return Outcome.Done;
    }

    /// <summary>A notice to those who receive.</summary>
    internal void Notice(string text)
    {
        lock (_gate) Append_NeedsLock(NewNotice(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>A notice to one member.</summary>
    internal void Notice(Session session, string text)
    {
        lock (_gate) session.Say(NewNotice(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>What a member reads where messages are missing.</summary>
    internal byte[] EncodeGap(MessageFormat format, long missed) => Encode(format, NewNotice(Encoding.UTF8.GetBytes($"{missed} messages missed")));

    internal static byte[] Encode(MessageFormat format, in ChatMessage message)
    {
        var buffer = new byte[MessageWriter.MeasureMax(format, message)];
        return buffer[..MessageWriter.Write(format, message, buffer)];
    }

    internal static byte[] EncodeJson(in ChatMessage message)
    {
        var buffer = new byte[MessageWriter.MeasureMax(MessageFormat.JsonFrame, message)];
        return buffer[..MessageWriter.WriteJson(message, buffer)];
    }

    /// <summary>The messages after a sequence number, and whether some between are not kept any more.</summary>
    internal (List<KeptMessage> Messages, bool IsTruncated) History(long after)
    {
        lock (_gate)
        {
            var notBefore = _hub.Options.Limits.HistorySeconds == 0 ? 0 : _hub.Now - _hub.Options.Limits.HistorySeconds * 1000L;
            var kept = _history.After(after, notBefore);
            var first = kept.Count > 0 ? kept[0].Sequence : _lastSequence + 1;
            return (kept, first > after + 1);
        }
    }

    internal void Restore(long lastSequence, string topic, IEnumerable<KeptMessage> messages)
    {
        lock (_gate)
        {
            Topic = topic;
            foreach (var kept in messages) _history.Add(kept.Sequence, kept.Id, kept.Sender, kept.UnixMilliseconds, kept.Text);
            Volatile.Write(ref _lastSequence, lastSequence);
        }
    }

    internal bool DeleteMessage(long sequence)
    {
        lock (_gate) return _history.Delete(sequence);
    }

    internal ChatMessage ToMessage(KeptMessage kept) => new()
    {
        Kind = MessageKind.Room,
        Room = NameUtf8,
        Sender = Encoding.UTF8.GetBytes(kept.Sender),
        Text = kept.Text,
        Sequence = kept.Sequence,
        Id = kept.Id,
        Epoch = _hub.Epoch,
        UnixMilliseconds = kept.UnixMilliseconds,
    };

    private ChatMessage NewNotice(byte[] text) => new()
    {
        Kind = MessageKind.Notice,
        Room = NameUtf8,
        Sender = "server"u8,
        Text = text,
        Sequence = LastSequence,
        Id = _hub.NextMessageId(),
        Epoch = _hub.Epoch,
        UnixMilliseconds = _hub.Now,
    };

    private void Append_NeedsLock(in ChatMessage message)
    {
        foreach (var log in _logs) log?.Append(message);
        Mark();
        if (_mailboxes == 0) return;
        var json = EncodeJson(message);
        foreach (var member in _members.Span)
            if (member.Session.Mailbox is { } mailbox && member.Status.Receives())
                mailbox.Add(new Mailbox.Entry(Name, message.Sequence, json));
    }

    private void Mark()
    {
        if (Interlocked.Exchange(ref _isMarked, 1) == 0) _hub.Outbox.Add(this);
    }

    private bool TryMarkSent_NeedsLock(Membership from)
    {
        if (from.Status.After(MemberEvent.Sent) is not { } status) return false;
        if (from.Status == MemberStatus.Suspended) Resume_NeedsLock(from, replay: false);
        from.HasSent = true;
        from.Status = status;
        return true;
    }
}

/// <summary>What a message got when it was accepted.</summary>
/// <param name="Sequence">Its number in the room.</param>
/// <param name="Id">Its number in the server.</param>
/// <param name="UnixMilliseconds">When.</param>
/// <param name="Receivers">Members that get it.</param>
internal readonly record struct Receipt(long Sequence, long Id, long UnixMilliseconds, int Receivers = 0);
