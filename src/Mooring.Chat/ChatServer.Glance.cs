using Mooring.Chat.Protocol;
using Mooring.Kernel.Events;

namespace Mooring.Chat;

/// <summary>What operators see at a glance.</summary>
public sealed partial class ChatServer
{
    /// <summary>Who is told when rooms come and go; null for nobody.</summary>
    public OperatorEvents? Events { get; init; }

    /// <summary>All rooms in the order of their creation; none before the start.</summary>
    public IEnumerable<ChatRoomGlance> Rooms => _hub is not { } hub ? [] : hub.Rooms().Select(room => new ChatRoomGlance(
        room.Name, room.Topic, room.Count, room.Members.Count(member => member.Status == MemberStatus.Suspended), room.IsLocked, room.LastSequence));

    /// <summary>Clients that have a name.</summary>
    public int Clients => _hub?.Sessions().Count(session => session.IsRegistered) ?? 0;

    /// <summary>Messages accepted since the start.</summary>
    public long Messages => _hub?.Counters.MessagesIn ?? 0;

    private void Tell(ChatEvent happened, string room, string client)
    {
        if (happened == ChatEvent.Created) Events?.Publish("chat", room, "room_opened", EventSeverity.Notice, $"opened by {client}");
        else if (happened == ChatEvent.Removed) Events?.Publish("chat", room, "room_closed", EventSeverity.Notice, $"closed by {client}");
    }
}
