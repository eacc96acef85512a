using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>Who is in the room. Joins and leaves come under the hub's lock; the room's own keeps them apart from messages.</summary>
internal sealed partial class Room
{
    internal int Count => Members.Count;

    /// <summary>Lets a session in. It is welcomed, gets what it asked for of the past, and then reads what comes.</summary>
    internal Membership Add(Session session, in EntryRequest request)
    {
        lock (_gate)
        {
            var member = new Membership(this, session, _hub.Now);
            request.Welcome(member);
            if (request.Since >= 0)
            {
                var (messages, isTruncated) = History(request.Since);
                request.Truncated?.Invoke(isTruncated);
                Replay(member, messages);
            }
            SayWaiting(member);
            session.Memberships = [.. session.Memberships, member];
            StartReading_NeedsLock(member);
            Volatile.Write(ref _members, _members.With(member));
            return member;
        }
    }

    internal void Remove(Membership member, MemberEvent happened, bool keepUnread)
    {
        lock (_gate)
        {
            StopReading_NeedsLock(member, keepUnread);
            member.Status = member.Status.After(happened) ?? MemberStatus.Closed;
            Volatile.Write(ref _members, _members.Without(member));
            if (_members.Count == 0) EmptySince = _hub.SteadyNow;
        }
    }

    /// <summary>False when it cannot be suspended.</summary>
    internal bool Suspend(Membership member)
    {
        lock (_gate)
        {
            if (member.Status == MemberStatus.Suspended) return true;
            if (member.Status.After(MemberEvent.Paused) is not { } status) return false;
            StopReading_NeedsLock(member, keepUnread: true);
            member.Status = status;
            member.SuspendedAt = _lastSequence;
            return true;
        }
    }

    /// <summary>Ends a suspension; returns how many messages were missed.</summary>
    internal long Resume(Membership member)
    {
        lock (_gate)
        {
            if (member.Status != MemberStatus.Suspended) return 0;
            var missed = Resume_NeedsLock(member, replay: true);
            member.Status = MemberStatus.Suspended.After(MemberEvent.Resumed, member.HasSent)!.Value;
            return missed;
        }
    }

    /// <summary>Stops a member's reading while its form changes; it has everything up to now in the old one.</summary>
    internal void StopReading(Membership member)
    {
        lock (_gate) StopReading_NeedsLock(member, keepUnread: true);
    }

    internal void StartReading(Membership member)
    {
        lock (_gate)
        {
            if (member.Status != MemberStatus.Suspended) StartReading_NeedsLock(member);
        }
    }

    /// <summary>Queues kept messages for one member.</summary>
    internal void Replay(Membership member, IReadOnlyList<KeptMessage> messages) => member.Session.SayAgain(this, messages);

    /// <summary>Direct messages that came while the member could not take them.</summary>
    private void SayWaiting(Membership member)
    {
        var notBefore = _hub.Now - _hub.Options.Limits.DirectQueueSeconds * 1000L;
        foreach (var waiting in _hub.Waiting.Take(member.Session.Id, this, notBefore))
        {
            member.Session.Say(new ChatMessage
            {
                Kind = MessageKind.Direct,
                Room = NameUtf8,
                Sender = waiting.Sender,
                Text = waiting.Text,
                Sequence = _lastSequence,
                Id = waiting.Receipt.Id,
                Epoch = _hub.Epoch,
                UnixMilliseconds = waiting.Receipt.UnixMilliseconds,
            });
            _hub.Counters.Delivered(1);
        }
    }

    private long Resume_NeedsLock(Membership member, bool replay)
    {
        var missed = _lastSequence - member.SuspendedAt;
        if (missed > 0)
        {
            member.Session.Say(NewNotice(System.Text.Encoding.UTF8.GetBytes($"{missed} messages missed")));
            if (replay) Replay(member, History(member.SuspendedAt).Messages);
        }
        SayWaiting(member);
        StartReading_NeedsLock(member);
        return missed;
    }

    private void StartReading_NeedsLock(Membership member)
    {
        _receivers++;
        if (member.Session.Mailbox is not null)
        {
            _mailboxes++;
            return;
        }
        var log = _logs[(int)member.Session.Format] ??= new RoomLog(member.Session.Format);
        log.Readers++;
        member.Session.Attach(member, log);
    }

    private void StopReading_NeedsLock(Membership member, bool keepUnread)
    {
        if (member.Status == MemberStatus.Suspended) return;
        _receivers--;
        if (member.Session.Mailbox is not null)
        {
            _mailboxes--;
            return;
        }
        if (member.Log is not { } log) return;
        member.Session.Detach(member, keepUnread);
        if (--log.Readers == 0) _logs[(int)log.Format] = null;
    }
}
