using System.Text;
using Mooring.Chat.Access;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>What the program around the server listens to.</summary>
internal sealed partial class ChatHub
{
    /// <summary>The name that the program speaks under; null for none.</summary>
    internal string? OwnName { get; set; }

    /// <summary>Told of messages that begin with a slash.</summary>
    internal Action<ChatRemark>? Heard { get; set; }

    /// <summary>Whether no client may be called so.</summary>
    internal bool IsReserved(string client) =>
        ChatNames.IsReservedClient(client) || (OwnName is { } own && ChatNames.LooksLike(client, own));

    /// <summary>A message was accepted. The account is that of whoever sent it, which need not be the one it was sent for.</summary>
    internal void Hear(Room room, string client, ChatAccount? account, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] != (byte)'/' || Heard is not { } heard) return;
        var isProven = account is not null && account.ExpiresAt > Now && account.MayUse(client);
        heard(new ChatRemark(room.Name, client, isProven ? client : null, Encoding.UTF8.GetString(text)));
    }
}
