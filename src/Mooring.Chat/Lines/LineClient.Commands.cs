using System.Text;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Lines;

/// <summary>The commands of members.</summary>
internal sealed partial class LineClient
{
    private void Handle(in ChatLine line, ReadOnlySpan<byte> whole)
    {
        switch (line.Verb)
        {
            case ChatVerb.Hello:
            case ChatVerb.Join:
                Enter(line, Entrance.Join);
                break;
            case ChatVerb.New:
                Enter(line, Entrance.Create);
                break;
            case ChatVerb.Tell:
                Tell(line);
                break;
            case ChatVerb.Pause:
            case ChatVerb.Resume:
                Suspend(line);
                break;
            case ChatVerb.Leave:
            case ChatVerb.Quit:
                Quit(line);
                break;
            case ChatVerb.Ping:
                if (_replies.Pong(ChatText.Decode(ChatLine.Rest(whole))) is { } pong) session.Enqueue(pong);
                break;
            case ChatVerb.Pong:
                session.UnansweredPings = 0;
                break;
            case ChatVerb.Msg:
            case ChatVerb.From:
                break;
            case ChatVerb.Error:
                _hub.Close(session, CloseReason.Closed, "the client reported an error");
                break;
            case ChatVerb.Unknown:
                OnUnknown(line);
                break;
            default:
                HandleOther(line, whole);
                break;
        }
    }

    private void OnUnknown(in ChatLine line)
    {
        Error(new ErrorContext(ChatVerb.Unknown), ChatError.UnknownCommand, ChatText.Decode(line.Word));
        if (_hub.Options.CloseOnUnknownCommand) _hub.Close(session, CloseReason.Protocol, "unknown command");
    }

    private void Enter(in ChatLine line, Entrance entrance)
    {
        var verb = line.Verb;
        var (room, client) = (ChatNames.Main, ChatNames.Automatic);
        if (line.Argument.IsEmpty)
        {
            if (verb != ChatVerb.Hello)
            {
                Error(new ErrorContext(verb), ChatError.MissingArgument, $"{ChatLine.NameOf(verb)} room:client");
                return;
            }
        }
        else if (!TryAddress(line, out room, out client))
        {
            return;
        }
        var resumption = Resumption.Parse(ChatText.Decode(line.Text));
        var outcome = _hub.Enter(session, new EntryRequest(room, client, entrance, member => Welcome(verb, member))
        {
            ResumeToken = resumption.Token,
            Password = resumption.Password,
            Since = resumption.SinceIn(_hub.Epoch),
            Truncated = isTruncated => Ok(ChatVerb.History, room, session.Id, isTruncated || resumption.IsOfOtherEpoch(_hub.Epoch) ? "truncated" : ""),
        });
        if (!outcome.IsDone) Error(new ErrorContext(verb, room, client), outcome);
        if (outcome.Error == ChatError.Banned) _hub.Close(session, CloseReason.Banned, outcome.Text);
    }

    private void Welcome(ChatVerb verb, Membership member)
    {
        var (room, id) = (member.Room, session.Id);
        var text = session.Capabilities.HasFlag(Capabilities.Resume)
            ? $"resume={session.NewResumeToken()} since={_hub.Epoch:x16}:{room.LastSequence}"
            : "";
        Ok(verb, room.Name, id, text);
        if (verb == ChatVerb.New) room.Notice(session, $"Chatroom {room.Name} was successfully created by {id}.");
    }

    private void Send(in ChatLine line, bool isPlain)
    {
        // Nearly every line of a busy server takes this way: the address is compared as bytes, and nothing is allocated.
        var member = session.At(line.Argument) ?? FindMember(line);
        if (member is null) return;
        var limits = _hub.Options.Limits;
        if (ChatText.IsLongerThan(line.Text, limits.MessageScalarsMax))
        {
            Error(Context(ChatVerb.Send, member), ChatError.MessageTooLong, $"a message may have {limits.MessageScalarsMax} characters");
            if (_hub.Options.CloseOnTooLong) _hub.Close(session, CloseReason.Protocol, "message too long");
            return;
        }
        if (limits.Rate > 0 && !session.IsOperator && !session.TryTakeToken(limits.Rate, limits.RateBurst, _hub.SteadyNow, out var wait))
        {
            _hub.Counters.RateLimited();
            Error(Context(ChatVerb.Send, member), ChatError.RateLimited, $"{wait} ms to wait");
            return;
        }
        var sender = member.Session;
        var outcome = member.Room.Publish(sender, member, sender.Id, sender.IdUtf8, line.Text, isPlain, out var receipt);
        if (outcome.IsDone) _hub.Hear(member.Room, sender.Id, session.Account, line.Text);
        if (!outcome.IsDone) Error(Context(ChatVerb.Send, member), outcome);
        else if (session.Capabilities.HasFlag(Capabilities.Acks)) Ok(ChatVerb.Send, member.Room.Name, sender.Id, $"{receipt.Sequence}");
        else _errors = 0;
    }

    private void Tell(in ChatLine line)
    {
        if (FindMember(line) is not { } from) return;
        var space = line.Text.IndexOf((byte)' ');
        var names = ChatText.Decode(space < 0 ? line.Text : line.Text[..space]).Normalize(NormalizationForm.FormC);
        var text = space < 0 ? default : line.Text[(space + 1)..];
        if (names.Length == 0)
        {
            Error(Context(ChatVerb.Tell, from), ChatError.MissingArgument, "TELL room:client target[,target...] text");
            return;
        }
        var limits = _hub.Options.Limits;
        if (ChatText.IsLongerThan(text, limits.MessageScalarsMax))
        {
            Error(Context(ChatVerb.Tell, from), ChatError.MessageTooLong, $"a message may have {limits.MessageScalarsMax} characters");
            return;
        }
        if (limits.Rate > 0 && !session.TryTakeToken(limits.Rate, limits.RateBurst, _hub.SteadyNow, out var wait))
        {
            _hub.Counters.RateLimited();
            Error(Context(ChatVerb.Tell, from), ChatError.RateLimited, $"{wait} ms to wait");
            return;
        }
        var results = new List<ChatHub.DirectResult>();
        var outcome = _hub.Direct(from, [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries).Distinct()], text, results, out _);
        if (!outcome.IsDone) Error(Context(ChatVerb.Tell, from), outcome);
        foreach (var result in results.Where(result => result.Error != ChatError.None))
            Error(Context(ChatVerb.Tell, from), result.Error, result.Target);
        var reached = string.Join(',', results.Where(result => result is { Error: ChatError.None, IsWaiting: false }).Select(result => result.Target));
        var waiting = string.Join(',', results.Where(result => result.IsWaiting).Select(result => result.Target));
        if (reached.Length + waiting.Length > 0)
            Ok(ChatVerb.Tell, from.Room.Name, from.Session.Id, waiting.Length == 0 ? reached : $"{reached} queued={waiting}".TrimStart());
    }

    private void Suspend(in ChatLine line)
    {
        if (!TryTarget(line, out var room, out var target)) return;
        var rooms = new List<string>();
        var outcome = line.Verb == ChatVerb.Pause ? _hub.Pause(target, room, rooms) : _hub.Resume(target, room, rooms, out _);
        if (!outcome.IsDone) Error(new ErrorContext(line.Verb, room ?? ErrorContext.Any, target.Id), outcome);
        else Ok(line.Verb, ErrorContext.Any, target.Id, string.Join(',', rooms));
    }

    private void Quit(in ChatLine line)
    {
        if (!TryTarget(line, out var room, out var target)) return;
        if (room is null && line.Verb == ChatVerb.Leave)
        {
            Error(new ErrorContext(line.Verb), ChatError.MissingArgument, "LEAVE room:client");
            return;
        }
        if (room is null)
        {
            if (_replies.GoodBye(target.IsRegistered ? target.Id : ErrorContext.Any) is { } goodBye) session.Enqueue(goodBye);
            _hub.Close(target, target == session ? CloseReason.Quit : CloseReason.Closed, "");
            return;
        }
        var outcome = _hub.Leave(target, room);
        if (outcome.IsDone) Ok(line.Verb, room, target.Id);
        else Error(new ErrorContext(line.Verb, room, target.Id), outcome);
    }

    /// <summary>The session that <c>room:client</c>, <c>client</c> or nothing names, when this client may act for it.</summary>
    private bool TryTarget(in ChatLine line, out string? room, out Session target)
    {
        room = null;
        target = session;
        if (line.Argument.IsEmpty)
        {
            if (session.IsRegistered || line.Verb == ChatVerb.Quit) return true;
            Error(new ErrorContext(line.Verb), ChatError.NotRegistered, "say HELLO or JOIN first");
            return false;
        }
        string client;
        if (line.Argument.IndexOf((byte)':') >= 0)
        {
            if (!TryAddress(line, out room, out client)) return false;
        }
        else
        {
            client = ChatText.Decode(line.Argument).Normalize(NormalizationForm.FormC);
        }
        return TryActFor(line.Verb, room, client, out target);
    }

    /// <summary>The membership that an address names; when this client may not act for it, it has been told so.</summary>
    private Membership? FindMember(in ChatLine line)
    {
        if (!TryAddress(line, out var room, out var client) || !TryActFor(line.Verb, room, client, out var target)) return null;
        if (target.In(room) is { } member) return member;
        var context = new ErrorContext(line.Verb, room, client);
        if (_hub.TryFindRoom(room, out _)) Error(context, ChatError.NotMember, $"{client} is not in {room}");
        else Error(context, ChatHub.NoSuchRoom(room));
        return null;
    }

    private bool TryActFor(ChatVerb verb, string? room, string client, out Session target)
    {
        target = session;
        if (session.IsRegistered && client == session.Id) return true;
        var context = new ErrorContext(verb, room ?? ErrorContext.Any, client);
        var mayActForOthers = session.IsOperator || (!session.IsRegistered && _hub.Options.AllowDetached
            && (!_hub.Access.IsRequired || session.Account?.MayUse(client) == true));
        if (!mayActForOthers)
        {
            if (session.IsRegistered) Error(context, ChatError.NotOwner, $"this connection is {session.Id}");
            else Error(context, ChatError.NotRegistered, "say HELLO or JOIN first");
            return false;
        }
        if (_hub.TryFindClient(client, out var other))
        {
            target = other;
            if (session.IsOperator) _hub.Audit(session, ChatLine.NameOf(verb), $"{room ?? ErrorContext.Any}:{client}");
            return true;
        }
        Error(context, ChatError.NoSuchClient, client);
        return false;
    }

    private bool TryAddress(in ChatLine line, out string room, out string client)
    {
        if (ChatNames.TryParseAddress(line.Argument, out room, out client)) return true;
        if (line.Argument.IsEmpty) Error(new ErrorContext(line.Verb), ChatError.MissingArgument, $"{ChatLine.NameOf(line.Verb)} room:client");
        else Error(new ErrorContext(line.Verb), ChatError.BadArgument, "an address is room:client, both 1 to 64 characters without blanks and colons");
        return false;
    }

    private static ErrorContext Context(ChatVerb verb, Membership member) => new(verb, member.Room.Name, member.Session.Id);
}
