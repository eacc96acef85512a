using System.Globalization;
using System.Text;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Lines;

/// <summary>Commands of room owners and operators, and what a client does against others for itself.</summary>
internal sealed partial class LineClient
{
    private void Moderate(in ChatLine line)
    {
        if (!session.IsRegistered && !session.IsOperator)
        {
            Error(new ErrorContext(line.Verb), ChatError.NotRegistered, "say HELLO or JOIN first");
            return;
        }
        switch (line.Verb)
        {
            case ChatVerb.Block:
            case ChatVerb.Unblock:
                Block(line);
                break;
            case ChatVerb.Lock:
            case ChatVerb.Unlock:
                Lock(line);
                break;
            case ChatVerb.Password:
                SetPassword(line);
                break;
            default:
                Sanction(line);
                break;
        }
    }

    private void Block(in ChatLine line)
    {
        var client = ChatText.Decode(line.Argument).Normalize(NormalizationForm.FormC);
        if (!ChatNames.IsName(client)) Error(new ErrorContext(line.Verb), ChatError.BadArgument, "name a client");
        else if (line.Verb == ChatVerb.Unblock) Ok(line.Verb, session.Unblock(client) ? client : "");
        else if (session.TryBlock(client)) Ok(line.Verb, client);
        else Error(new ErrorContext(line.Verb), ChatError.Forbidden, "the list is full");
    }

    private void Lock(in ChatLine line)
    {
        var name = ChatText.Decode(line.Argument).Normalize(NormalizationForm.FormC);
        if (FindModerated(line.Verb, name) is not { } room) return;
        if (name == ChatNames.Main)
        {
            Error(new ErrorContext(line.Verb, name), ChatError.ReservedRoom, "main is open to all");
            return;
        }
        room.IsLocked = line.Verb == ChatVerb.Lock;
        _hub.Audit(session, ChatLine.NameOf(line.Verb), name);
        Ok(line.Verb, name, session.IsRegistered ? session.Id : ErrorContext.Any);
    }

    private void SetPassword(in ChatLine line)
    {
        var name = ChatText.Decode(line.Argument).Normalize(NormalizationForm.FormC);
        if (FindModerated(line.Verb, name) is not { } room) return;
        var word = ChatText.Decode(line.Text).Trim(' ');
        if (name == ChatNames.Main)
        {
            Error(new ErrorContext(line.Verb, name), ChatError.ReservedRoom, "main is open to all");
            return;
        }
        if (line.Text.Length > RoomPassword.BytesMax || word.Contains(' ', StringComparison.Ordinal))
        {
            Error(new ErrorContext(line.Verb, name), ChatError.BadArgument, $"PASSWORD room [word], at most {RoomPassword.BytesMax} bytes without blanks");
            return;
        }
        _hub.SetPassword(room, word.Length == 0 ? null : word);
        _hub.Audit(session, ChatLine.NameOf(line.Verb), name);
        Ok(line.Verb, name, session.IsRegistered ? session.Id : ErrorContext.Any, word.Length == 0 ? "open" : "set");
    }

    private void Sanction(in ChatLine line)
    {
        if (!TryAddress(line, out var name, out var client) || FindModerated(line.Verb, name) is not { } room) return;
        var context = new ErrorContext(line.Verb, name, client);
        if (!TryUntil(line.Text, out var until))
        {
            Error(context, ChatError.BadArgument, $"{ChatLine.NameOf(line.Verb)} room:client [seconds]");
            return;
        }
        var done = line.Verb switch
        {
            ChatVerb.Ban => room.Ban(client, until),
            ChatVerb.Mute => room.Mute(client, until),
            ChatVerb.Unban => room.Unban(client),
            ChatVerb.Unmute => room.Unmute(client),
            _ => true,
        };
        if (!done)
        {
            Error(context, ChatError.Forbidden, "the list is full, or the client is not on it");
            return;
        }
        if (line.Verb is ChatVerb.Kick or ChatVerb.Ban) Expel(line.Verb, room, client);
        else if (line.Verb is ChatVerb.Mute or ChatVerb.Unmute) room.Notice($"{client} may {(line.Verb == ChatVerb.Mute ? "not speak" : "speak again")}");
        _hub.Audit(session, ChatLine.NameOf(line.Verb), $"{name}:{client}");
        Ok(line.Verb, name, client);
    }

    private void Expel(ChatVerb verb, Room room, string client)
    {
        if (!_hub.TryFindClient(client, out var target) || target.In(room.Name) is null) return;
        room.Notice(target, verb == ChatVerb.Ban ? $"you are banned from {room.Name}" : $"you were removed from {room.Name}");
        _hub.Leave(target, room.Name);
    }

    private Room? FindModerated(ChatVerb verb, string name)
    {
        var context = new ErrorContext(verb, name.Length == 0 ? ErrorContext.Any : name);
        if (!_hub.TryFindRoom(name, out var room)) Error(context, ChatHub.NoSuchRoom(name));
        else if (!room.MayModerate(session)) Error(context, ChatError.Forbidden, "only the room's owner and operators may do that");
        else return room;
        return null;
    }

    private bool TryUntil(ReadOnlySpan<byte> text, out long until)
    {
        until = long.MaxValue;
        var word = ChatText.Decode(text).Trim(' ');
        if (word.Length == 0) return true;
        if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        until = _hub.Now + seconds * 1000L;
        return true;
    }
}
