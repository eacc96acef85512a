using Mooring.Chat.Rooms;

namespace Mooring.Chat.History;

/// <summary>What is to be written of a room.</summary>
internal sealed class PendingRoom
{
    internal Queue<KeptMessage> Messages { get; } = new();

    internal List<long> Deleted { get; } = [];

    internal long LastSequence { get; set; }

    /// <summary>Null when nothing but messages is to be written.</summary>
    internal string? CreatedBy { get; set; }

    internal long CreatedAt { get; set; }

    internal string Topic { get; set; } = "";

    /// <summary>Empty for none.</summary>
    internal string Password { get; set; } = "";

    internal bool IsRemoved { get; set; }

    /// <summary>This and what came after it, as one.</summary>
    internal PendingRoom FollowedBy(PendingRoom newer, int messagesMax)
    {
        if (newer.IsRemoved) return newer;
        foreach (var message in newer.Messages)
        {
            if (Messages.Count == messagesMax) Messages.Dequeue();
            Messages.Enqueue(message);
        }
        Deleted.AddRange(newer.Deleted);
        LastSequence = Math.Max(LastSequence, newer.LastSequence);
        if (newer.CreatedBy is not null) (CreatedBy, CreatedAt, Topic, Password) = (newer.CreatedBy, newer.CreatedAt, newer.Topic, newer.Password);
        return this;
    }
}
