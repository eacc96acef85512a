using Mooring.Chat.Configuration;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>Messages from one client to another.</summary>
internal sealed partial class ChatHub
{
    /// <summary>Why a message did not reach one target; none when it did, or when it waits for it.</summary>
    internal readonly record struct DirectResult(string Target, ChatError Error, bool IsWaiting = false);

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
        foreach (var target in targets) results.Add(SendDirect(from, target, message, receipt));
        return Outcome.Done;
    }

    private DirectResult SendDirect(Membership from, string target, in ChatMessage message, Receipt receipt)
    {
        if (!TryFindClient(target, out var session)) return Keep(ChatError.NoSuchClient, Waiting.TryKeepForAway, message.Text);
        var member = session.In(from.Room.Name);
        if (member is null && !Options.DirectScopeServer) return new DirectResult(target, ChatError.NoSuchClient);
        if (session.HasBlocked(from.Session.Id)) return new DirectResult(target, ChatError.TargetBlocked);
        if (member is { Status: MemberStatus.Suspended }) return Keep(ChatError.TargetSuspended, Waiting.TryKeep, message.Text);
        session.Say(message);
        Counters.Delivered(1);
        return new DirectResult(target, ChatError.None);

        DirectResult Keep(ChatError otherwise, Func<string, WaitingDirect, int, bool> tryKeep, ReadOnlySpan<byte> text) =>
            Options.Limits.DirectQueue > 0 && tryKeep(target, new WaitingDirect(from.Room, from.Session.IdUtf8, text.ToArray(), receipt), Options.Limits.DirectQueue)
                ? new DirectResult(target, ChatError.None, IsWaiting: true)
                : new DirectResult(target, otherwise);
    }
}
