using System.Text;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>
/// A session in a room: its status there, and how far it has read the room's log. The status changes under the room's lock, the
/// cursor under the session's.
/// </summary>
internal sealed class Membership(Room room, Session session, long joinedAt)
{
    internal Room Room => room;

    internal Session Session => session;

    /// <summary>Unix milliseconds.</summary>
    internal long JoinedAt => joinedAt;

    /// <summary>room:client, as every command names it.</summary>
    internal byte[] Address { get; } = Encoding.UTF8.GetBytes($"{room.Name}:{session.Id}");

    internal MemberStatus Status { get; set; } = MemberStatus.Connected;

    /// <summary>What an operator sees: an error is followed by closing as soon as it was told, and that ends with the transport.</summary>
    internal MemberStatus ShownStatus => Status switch
    {
        MemberStatus.Closing or MemberStatus.Error when session.IsGone => MemberStatus.Closed,
        var status => status,
    };

    internal bool HasSent { get; set; }

    /// <summary>The room's last message when it was suspended: what came since is what it missed.</summary>
    internal long SuspendedAt { get; set; }

    internal RoomLog? Log { get; set; }

    /// <summary>Where it reads next; null while it does not read.</summary>
    internal LogChunk? Chunk { get; set; }

    internal int Offset { get; set; }

    /// <summary>Messages left out in front of its place that it has not been told of.</summary>
    internal long Skipped { get; set; }

    /// <summary>Messages of the log when it began to leave out what comes; negative while it does not.</summary>
    internal long LeftOutSince { get; set; } = -1;

    internal long Position => Chunk is { } chunk ? chunk.Start + Offset : long.MaxValue;

    /// <summary>Bytes of the log that it has not read.</summary>
    internal long Lag => Log is { } log && Chunk is { } chunk ? log.Head - chunk.Start - Offset : 0;

    internal long Missed => Status == MemberStatus.Suspended ? room.LastSequence - SuspendedAt : 0;
}
