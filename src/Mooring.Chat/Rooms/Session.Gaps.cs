using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>
/// What a member that reads too slowly does not get, where the policy is to leave messages out instead of closing it. It is told how many
/// at the place where they are missing.
/// </summary>
internal sealed partial class Session
{
    private int _leavingOut;

    /// <summary>Whether more messages than that wait for a member that takes nothing at the moment; 0 is no limit.</summary>
    internal bool HasMoreThan(int messages, Membership membership)
    {
        if (messages == 0 || BlockedSince < 0) return false;
        lock (_outGate) return Unread_NeedsLock(membership) > messages;
    }

    /// <summary>Skips what the member has not read except the newest chunk of the log, and of that what is too many.</summary>
    internal void SkipOldest(Membership membership)
    {
        long skipped = 0;
        lock (_outGate)
        {
            if (membership.Log is not { } log) return;
            while (membership.Chunk is { } chunk && chunk != log.Tail)
            {
                skipped += MessageBoundary.Count(Format, chunk.Bytes.AsSpan(membership.Offset, chunk.Used - membership.Offset));
                (membership.Chunk, membership.Offset) = (chunk.Next, 0);
            }
            if (_hub.Options.Limits.SendQueueMessages is > 0 and var most && membership.Chunk is { } newest && Unread_NeedsLock(membership) - most is > 0 and var over)
            {
                membership.Offset += MessageBoundary.Measure(Format, newest.Bytes.AsSpan(membership.Offset, newest.Used - membership.Offset), over);
                skipped += over;
            }
            membership.Skipped += skipped;
        }
        _hub.Counters.Dropped(skipped);
    }

    /// <summary>
    /// Keeps what the member has not read, and leaves out what comes from now on until it has taken that. It gives up its place in the log,
    /// for a reader holds everything behind its place in memory.
    /// </summary>
    internal void LeaveOutNewest(Membership membership)
    {
        lock (_outGate)
        {
            if (membership is not { Chunk: not null, Log: { } log }) return;
            KeepUnread_NeedsLock(membership, OutKind.Kept);
            membership.Chunk = null;
            membership.LeftOutSince = log.Messages;
            _leavingOut++;
        }
        Mark();
    }

    /// <summary>Everything that was kept has been taken: who left messages out reads on at the end of the log.</summary>
    private void GoOn_NeedsLock()
    {
        if (_leavingOut == 0) return;
        _leavingOut = 0;
        foreach (var membership in Memberships)
        {
            if (membership is not { LeftOutSince: >= 0 and var since, Log: { } log }) continue;
            (membership.Chunk, membership.Offset, var messages) = log.End();
            membership.LeftOutSince = -1;
            membership.Skipped += messages - since;
            _hub.Counters.Dropped(messages - since);
        }
    }

    private bool TryTakeGap_NeedsLock(Membership membership, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        if (membership is { Skipped: 0 } or { Chunk: null }) return false;
        bytes = membership.Room.EncodeGap(Format, membership.Skipped);
        membership.Skipped = 0;
        return true;
    }

    private long Unread_NeedsLock(Membership membership)
    {
        if (membership is not { Chunk: { } chunk, Log: { } log }) return 0;
        var behind = log.Messages - (chunk.Next?.MessagesBefore ?? log.Messages);
        return behind + MessageBoundary.Count(Format, chunk.Bytes.AsSpan(membership.Offset, chunk.Used - membership.Offset));
    }
}
