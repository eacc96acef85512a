using System.Text;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>What a listing shows; the names on the wire are those of the classic server.</summary>
internal enum ListType
{
    ChatRooms,
    All,
    ChatRoomAndClients,
    ClientChatRooms,
    ClientsForChatRoom,
}

/// <summary>A picture of rooms and who is in them; of each room at one moment.</summary>
/// <param name="Rooms">The rooms in order of creation.</param>
/// <param name="IsOneRoom">Whether only the members of one room were asked for.</param>
internal sealed record Listing(IReadOnlyList<ListedRoom> Rooms, bool IsOneRoom)
{
    private static readonly (string Name, ListType Type)[] Types =
    [
        ("CHAT_ROOMS", ListType.ChatRooms),
        ("ALL", ListType.All),
        ("CHAT_ROOM_AND_CLIENTS", ListType.ChatRoomAndClients),
        ("CLIENT_CHAT_ROOMS", ListType.ClientChatRooms),
        ("CLIENTS_FOR_CHAT_ROOM", ListType.ClientsForChatRoom),
        ("ROOMS", ListType.ChatRooms),
        ("CLIENTS", ListType.ChatRoomAndClients),
        ("MINE", ListType.ClientChatRooms),
    ];

    internal static string Names { get; } = string.Join(", ", Types.Take(5).Select(type => type.Name));

    internal static bool TryParse(string word, out ListType type)
    {
        type = ListType.ChatRooms;
        if (word.Length == 0) return true;
        foreach (var (name, candidate) in Types)
        {
            if (!name.Equals(word, StringComparison.OrdinalIgnoreCase)) continue;
            type = candidate;
            return true;
        }
        return false;
    }

    internal static string Name(ListType type) => Types[(int)type].Name;

    /// <summary>The layout of the classic server: tabs for the depth.</summary>
    internal byte[] ToClassicText(ListType type)
    {
        var text = new StringBuilder("Chat Room List\n");
        foreach (var room in Rooms)
        {
            text.Append("\t-").Append(room.Name).Append('\n');
            if (type is ListType.ChatRooms or ListType.ClientChatRooms) continue;
            foreach (var (client, status) in room.Members)
            {
                text.Append("\t\t+Client: ").Append(client).Append('\n');
                if (type == ListType.All) text.Append("\t\t\t+Status: ").Append(status.Name()).Append('\n');
            }
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}

/// <summary>One room of a listing.</summary>
internal sealed record ListedRoom(string Name, IReadOnlyList<(string Client, MemberStatus Status)> Members);
