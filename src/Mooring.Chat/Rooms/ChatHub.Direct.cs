using Mooring.Chat.Configuration;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>Messages from one client to another.</summary>
internal sealed partial class ChatHub
{
    /// <summary>Why a message did not reach one target; none when it did.</summary>
    internal readonly record struct DirectResult(string Target, ChatError Error);

    /// <summary>
    /// Sends a text to members of the sender's room and to nobody else. It takes no number of the room and is not kept.
    /// </summary>
    internal Outcome Direct(Membership from, IReadOnlyList<string> targets, ReadOnlySpan<byte> text, List<DirectResult> results, out Receipt receipt)
    {
        receipt = new Receipt(0, NextMessageId(), Now);
        if (targets.Count > ChatLimits.DirectTargetsMax) return new Outcome(ChatError.BadArgument, $"at most {ChatLimits.DirectTargetsMax} targets");
        if (IsDraining) return new Outcome(ChatError.ShuttingDown, "the server is going down");
        var message = new ChatMessage
        {
            Kind = MessageKind.Direct,
            Room = from.Room.NameUtf8,
            Sender = from.Session.IdUtf8,
            Text = text,
            Sequence = from.Room.LastSequence,
            Id = receipt.Id,
            Epoch = Epoch,
            UnixMilliseconds = receipt.UnixMilliseconds,
        };
        foreach (var target in targets) results.Add(new DirectResult(target, SendDirect(from, target, message)));
        return Outcome.Done;
    }

    private ChatError SendDirect(Membership from, string target, in ChatMessage message)
    {
        if (!TryFindClient(target, out var session)) return ChatError.NoSuchClient;
        var member = session.In(from.Room.Name);
        if (member is null && !Options.DirectScopeServer) return ChatError.NoSuchClient;
        if (member is { Status: MemberStatus.Suspended }) return ChatError.TargetSuspended;
        if (session.HasBlocked(from.Session.Id)) return ChatError.TargetBlocked;
        session.Say(message);
        Counters.Delivered(1);
        return ChatError.None;
    }
}
