using System.Globalization;
using System.Text;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Lines;

/// <summary>Listings, history, capabilities, accounts.</summary>
internal sealed partial class LineClient
{
    private const int FailedLoginsMax = 3;

    private int _failedLogins;

    private void HandleOther(in ChatLine line, ReadOnlySpan<byte> whole)
    {
        switch (line.Verb)
        {
            case ChatVerb.List:
                List(ChatText.Decode(line.Argument), ChatText.Decode(line.Text).Trim(' '));
                break;
            case ChatVerb.Who:
                Who(ChatText.Decode(line.Argument));
                break;
            case ChatVerb.History:
                History(ChatText.Decode(line.Argument), ChatText.Decode(line.Text).Trim(' '));
                break;
            case ChatVerb.Topic:
                Topic(line);
                break;
            case ChatVerb.Auth:
                Authenticate(ChatText.Decode(ChatLine.Rest(whole)));
                break;
            case ChatVerb.Caps:
                Negotiate(ChatText.Decode(ChatLine.Rest(whole)));
                break;
            case ChatVerb.Help:
                Ok(ChatVerb.Help, "HELLO JOIN NEW SEND TELL PAUSE RESUME LEAVE QUIT LIST WHO HISTORY TOPIC AUTH CAPS PING BLOCK UNBLOCK KICK BAN UNBAN MUTE UNMUTE LOCK UNLOCK PASSWORD");
                break;
            default:
                Moderate(line);
                break;
        }
    }

    private void List(string word, string argument)
    {
        if (!Listing.TryParse(word, out var type))
        {
            Error(new ErrorContext(ChatVerb.List), ChatError.BadArgument, $"use one of {Listing.Names}");
            return;
        }
        if (argument.Length == 0 && type == ListType.ClientChatRooms) argument = session.Id;
        if (argument.Length == 0 && type is ListType.ClientChatRooms or ListType.ClientsForChatRoom)
        {
            Error(new ErrorContext(ChatVerb.List), ChatError.MissingArgument, type == ListType.ClientChatRooms ? "name a client" : "name a room");
            return;
        }
        if (type == ListType.ClientsForChatRoom && !_hub.TryFindRoom(argument, out _))
        {
            Error(new ErrorContext(ChatVerb.List, argument), ChatHub.NoSuchRoom(argument));
            return;
        }
        var listing = _hub.List(type, argument, session, isOperator: false);
        if (protocol.IsClassic) session.EnqueueReply(listing.ToClassicText(type));
        else Write(listing, Listing.Name(type), type is not (ListType.ChatRooms or ListType.ClientChatRooms), type == ListType.All);
        _errors = 0;
    }

    private void Who(string room)
    {
        if (!_hub.TryFindRoom(room, out _)) Error(new ErrorContext(ChatVerb.Who, room), ChatHub.NoSuchRoom(room));
        else Write(_hub.List(ListType.ClientsForChatRoom, room, session, isOperator: false), "WHO", withClients: true, withStatus: true);
    }

    private void Write(Listing listing, string name, bool withClients, bool withStatus)
    {
        var text = new StringBuilder();
        var count = 0;
        var end = _hub.Options.CrLf ? "\r\n" : "\n";
        foreach (var room in listing.Rooms)
        {
            if (!listing.IsOneRoom)
            {
                text.Append(CultureInfo.InvariantCulture, $"LIST ROOM {room.Name} {room.Members.Count}{end}");
                count++;
            }
            if (!withClients) continue;
            foreach (var (client, status) in room.Members)
            {
                text.Append("LIST CLIENT ").Append(room.Name).Append(':').Append(client);
                if (withStatus) text.Append(' ').Append(status.Name());
                text.Append(end);
                count++;
            }
        }
        text.Append(CultureInfo.InvariantCulture, $"LIST END {name} {count}{end}");
        session.EnqueueReply(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private void History(string room, string argument)
    {
        var context = new ErrorContext(ChatVerb.History, room, session.IsRegistered ? session.Id : ErrorContext.Any);
        if (session.In(room) is not { } member)
        {
            if (_hub.TryFindRoom(room, out _)) Error(context, ChatError.NotMember, $"join {room} first");
            else Error(context, ChatHub.NoSuchRoom(room));
            return;
        }
        var (after, epoch) = (0L, (ulong?)null);
        if (argument.StartsWith("since=", StringComparison.Ordinal)) (epoch, after) = Resumption.ParsePlace(argument["since=".Length..]);
        else if (argument.StartsWith("last=", StringComparison.Ordinal))
            after = long.TryParse(argument.AsSpan("last=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                ? Math.Max(member.Room.LastSequence - last, 0)
                : -1;
        else if (argument.Length > 0) after = -1;
        if (after < 0)
        {
            Error(context, ChatError.BadArgument, "HISTORY room [since=SEQUENCE|last=COUNT]");
            return;
        }
        var isOther = epoch is { } named && named != _hub.Epoch;
        var (messages, isTruncated) = member.Room.History(isOther ? 0 : after);
        member.Room.Replay(member, messages);
        var wanted = argument.StartsWith("since=", StringComparison.Ordinal);
        Ok(ChatVerb.History, room, session.Id, wanted && (isTruncated || isOther) ? "truncated" : $"{messages.Count}");
    }

    private void Topic(in ChatLine line)
    {
        if (FindMember(line) is not { } member) return;
        var room = member.Room;
        if (!line.Text.IsEmpty)
        {
            if (!room.MayModerate(session) && room.Name != ChatNames.Main)
            {
                Error(Context(ChatVerb.Topic, member), ChatError.Forbidden, "only the room's owner and operators set its topic");
                return;
            }
            if (ChatText.IsLongerThan(line.Text, _hub.Options.Limits.MessageScalarsMax))
            {
                Error(Context(ChatVerb.Topic, member), ChatError.MessageTooLong, $"a topic may have {_hub.Options.Limits.MessageScalarsMax} characters");
                return;
            }
            _hub.SetTopic(room, ChatText.Decode(line.Text), member.Session.Id);
        }
        Ok(ChatVerb.Topic, room.Name, member.Session.Id, room.Topic);
    }

    private void Authenticate(string token)
    {
        var outcome = _hub.Authenticate(token, session.Remote, out var account);
        if (account is null)
        {
            Error(new ErrorContext(ChatVerb.Auth), outcome);
            if (++_failedLogins >= FailedLoginsMax) _hub.Close(session, CloseReason.Protocol, "too many wrong tokens");
            return;
        }
        if (session.IsRegistered && !account.MayUse(session.Id))
        {
            Error(new ErrorContext(ChatVerb.Auth), ChatError.NotOwner, $"the token is not for {session.Id}");
            return;
        }
        session.Account = account;
        Ok(ChatVerb.Auth, account.IsOperator ? "operator" : "member");
    }

    private void Negotiate(string words)
    {
        var wanted = Capabilities.None;
        foreach (var word in words.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Enum.TryParse<Capabilities>(word, ignoreCase: true, out var capability) || capability == Capabilities.None || char.IsAsciiDigit(word[0]))
            {
                Error(new ErrorContext(ChatVerb.Caps), ChatError.BadArgument, $"{word} is not one of tags, events, ping, acks, resume");
                return;
            }
            wanted |= capability;
        }
        if (!protocol.IsClassic) UseFormat(wanted.HasFlag(Capabilities.Tags));
        session.Capabilities = wanted;
        Ok(ChatVerb.Caps, words.Length == 0 ? "" : string.Join(' ', wanted.ToString().ToLowerInvariant().Split(", ")));
    }

    private void UseFormat(bool tagged)
    {
        var format = (tagged, _hub.Options.CrLf) switch
        {
            (true, true) => MessageFormat.TaggedLineCrLf,
            (true, false) => MessageFormat.TaggedLine,
            (false, true) => MessageFormat.LineCrLf,
            _ => MessageFormat.Line,
        };
        if (format != session.Format) _hub.ChangeFormat(session, format);
    }
}
