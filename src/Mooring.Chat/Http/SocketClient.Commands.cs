using System.Globalization;
using System.Text;
using System.Text.Json;
using Mooring.Chat.Lines;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>The commands.</summary>
internal sealed partial class SocketClient
{
    private void Do(in SocketCommand command)
    {
        switch (command.Verb)
        {
            case ChatVerb.Send:
                Send(Member(command.Room), command.Room ?? "", Encoding.UTF8.GetBytes(command.Text), command.Reference);
                break;
            case ChatVerb.Join:
                Enter(command, Entrance.Join, "join", "joined");
                break;
            case ChatVerb.New:
                Enter(command, Entrance.Create, "new", "created");
                break;
            case ChatVerb.Leave:
                Leave(command);
                break;
            case ChatVerb.Pause:
            case ChatVerb.Resume:
                Suspend(command);
                break;
            case ChatVerb.List:
                List(command);
                break;
            case ChatVerb.Tell:
                Tell(command);
                break;
            case ChatVerb.History:
                History(command);
                break;
            case ChatVerb.Topic:
                Topic(command);
                break;
            case ChatVerb.Ping:
                Say(static json => json.WriteString("type", "pong"));
                break;
            case ChatVerb.Quit:
                hub.Close(session, CloseReason.Quit, "");
                break;
            default:
                Refuse(ChatError.UnknownCommand, "the command is not known", command.Reference);
                break;
        }
    }

    private Membership? Member(string? room) => room is null ? session.Memberships is [var first, ..] ? first : null : session.In(room);

    private void Send(Membership? member, string room, ReadOnlySpan<byte> text, JsonElement reference)
    {
        var limits = hub.Options.Limits;
        if (member is null)
        {
            Refuse(ChatError.NotMember, $"{session.Id} is not in {room}", reference);
            return;
        }
        if (ChatText.IsLongerThan(text, limits.MessageScalarsMax))
        {
            Refuse(ChatError.MessageTooLong, $"a message may have {limits.MessageScalarsMax} characters", reference);
            return;
        }
        if (!MaySpeak(reference)) return;
        var outcome = member.Room.Publish(session, member, session.Id, session.IdUtf8, text, ChatText.IsPlain(text), out var receipt);
        if (!outcome.IsDone)
        {
            Refuse(outcome.Error, outcome.Text, reference);
            return;
        }
        hub.Hear(member.Room, session.Id, session.Account, text);
        Say(json =>
        {
            json.WriteString("type", "send");
            json.WriteString("status", "sent");
            WriteReference(json, reference);
            json.WriteString("room", member.Room.Name);
            json.WriteNumber("seq", receipt.Sequence);
        });
    }

    private bool MaySpeak(JsonElement reference)
    {
        var limits = hub.Options.Limits;
        if (limits.Rate <= 0 || session.IsOperator || session.TryTakeToken(limits.Rate, limits.RateBurst, hub.SteadyNow, out var wait)) return true;
        hub.Counters.RateLimited();
        Refuse(ChatError.RateLimited, $"{wait} ms to wait", reference);
        return false;
    }

    private void Enter(SocketCommand command, Entrance entrance, string type, string status)
    {
        if (command.Room is not { } room || !ChatNames.IsRoom(room))
        {
            Refuse(ChatError.BadArgument, "name a room", command.Reference);
            return;
        }
        var (epoch, since) = Resumption.ParsePlace(command.Since ?? "");
        var isOther = epoch is { } named && named != hub.Epoch;
        var outcome = hub.Enter(session, new EntryRequest(room.Normalize(NormalizationForm.FormC), session.Id, entrance, member => Say(json =>
        {
            json.WriteString("type", type);
            json.WriteString("status", status);
            WriteReference(json, command.Reference);
            json.WriteString("room", member.Room.Name);
            json.WriteNumber("last_seq", member.Room.LastSequence);
        }))
        {
            Password = command.Password,
            Since = isOther ? 0 : since,
            Truncated = isTruncated => SayReplay(room, isTruncated || isOther),
        });
        if (!outcome.IsDone) Refuse(outcome.Error, outcome.Text, command.Reference);
    }

    private void Leave(SocketCommand command)
    {
        var room = command.Room ?? Member(null)?.Room.Name ?? "";
        var outcome = hub.Leave(session, room);
        if (outcome.IsDone) SayDone("leave", "left", room, command.Reference);
        else Refuse(outcome.Error, outcome.Text, command.Reference);
    }

    private void Suspend(SocketCommand command)
    {
        var rooms = new List<string>();
        var isPause = command.Verb == ChatVerb.Pause;
        var outcome = isPause ? hub.Pause(session, command.Room, rooms) : hub.Resume(session, command.Room, rooms, out _);
        if (!outcome.IsDone)
        {
            Refuse(outcome.Error, outcome.Text, command.Reference);
            return;
        }
        Say(json =>
        {
            json.WriteString("type", isPause ? "pause" : "resume");
            json.WriteString("status", isPause ? "paused" : "resumed");
            WriteReference(json, command.Reference);
            json.WriteStartArray("rooms");
            foreach (var room in rooms) json.WriteStringValue(room);
            json.WriteEndArray();
        });
    }

    private void List(SocketCommand command)
    {
        var argument = command.Argument;
        if (!Listing.TryParse(command.ListType, out var type))
        {
            Refuse(ChatError.BadArgument, $"use one of {Listing.Names}", command.Reference);
            return;
        }
        if (argument.Length == 0) argument = type == ListType.ClientChatRooms ? session.Id : Member(null)?.Room.Name ?? "";
        var listing = hub.List(type, argument, session, isOperator: false);
        Say(json =>
        {
            json.WriteString("type", "list");
            WriteReference(json, command.Reference);
            json.WriteString("list_type", Listing.Name(type));
            ChatApi.WriteDictionaryRooms(json, type, argument, listing);
        });
    }

    private void Tell(SocketCommand command)
    {
        var text = Encoding.UTF8.GetBytes(command.Text);
        if (Member(command.Room) is not { } from)
        {
            Refuse(ChatError.NotMember, $"{session.Id} is not in {command.Room}", command.Reference);
            return;
        }
        if (command.Targets.Count == 0 || ChatText.IsLongerThan(text, hub.Options.Limits.MessageScalarsMax))
        {
            Refuse(command.Targets.Count == 0 ? ChatError.MissingArgument : ChatError.MessageTooLong, "name targets, and a text within the limit", command.Reference);
            return;
        }
        if (!MaySpeak(command.Reference)) return;
        var results = new List<ChatHub.DirectResult>();
        var outcome = hub.Direct(from, [.. command.Targets.Distinct()], text, results, out _);
        if (!outcome.IsDone) Refuse(outcome.Error, outcome.Text, command.Reference);
        foreach (var result in results.Where(result => result.Error != ChatError.None)) Refuse(result.Error, result.Target, command.Reference);
        var waiting = results.Where(result => result.IsWaiting).Select(result => result.Target).ToList();
        var reached = results.Where(result => result is { Error: ChatError.None, IsWaiting: false }).Select(result => result.Target).ToList();
        if (reached.Count + waiting.Count == 0) return;
        Say(json =>
        {
            json.WriteString("type", "tell");
            json.WriteString("status", "sent");
            WriteReference(json, command.Reference);
            json.WriteString("room", from.Room.Name);
            json.WriteStartArray("to");
            foreach (var target in reached) json.WriteStringValue(target);
            json.WriteEndArray();
            if (waiting.Count == 0) return;
            json.WriteStartArray("queued");
            foreach (var target in waiting) json.WriteStringValue(target);
            json.WriteEndArray();
        });
    }

    private void History(SocketCommand command)
    {
        if (Member(command.Room) is not { } member)
        {
            Refuse(ChatError.NotMember, $"{session.Id} is not in {command.Room}", command.Reference);
            return;
        }
        var room = member.Room;
        var (epoch, after) = command.Since is { } place ? Resumption.ParsePlace(place) : (null, 0);
        if (command.Last is { } last)
            after = long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? Math.Max(room.LastSequence - count, 0) : -1;
        if (after < 0)
        {
            Refuse(ChatError.BadArgument, "since is a sequence number or epoch:number, last a number", command.Reference);
            return;
        }
        var isOther = epoch is { } named && named != hub.Epoch;
        var (messages, isTruncated) = room.History(isOther ? 0 : after);
        Say(json =>
        {
            json.WriteString("type", "history");
            WriteReference(json, command.Reference);
            json.WriteString("room", room.Name);
            json.WriteString("epoch", hub.Epoch.ToString("x16", CultureInfo.InvariantCulture));
            json.WriteStartArray("messages");
            foreach (var kept in messages) json.WriteRawValue(Room.EncodeJson(room.ToMessage(kept)), skipInputValidation: true);
            json.WriteEndArray();
            json.WriteBoolean("truncated", command.Since is not null && (isTruncated || isOther));
        });
    }

    private void Topic(SocketCommand command)
    {
        if (Member(command.Room) is not { } member)
        {
            Refuse(ChatError.NotMember, $"{session.Id} is not in {command.Room}", command.Reference);
            return;
        }
        var room = member.Room;
        if (command.Text.Length > 0)
        {
            if (!room.MayModerate(session) && room.Name != ChatNames.Main)
            {
                Refuse(ChatError.Forbidden, "only the room's owner and operators set its topic", command.Reference);
                return;
            }
            if (command.Text.EnumerateRunes().Count() > hub.Options.Limits.MessageScalarsMax)
            {
                Refuse(ChatError.MessageTooLong, "the topic is too long", command.Reference);
                return;
            }
            hub.SetTopic(room, command.Text, session.Id);
        }
        Say(json =>
        {
            json.WriteString("type", "topic");
            WriteReference(json, command.Reference);
            json.WriteString("room", room.Name);
            json.WriteString("topic", room.Topic);
        });
    }

    private void SayDone(string type, string status, string room, JsonElement reference) => Say(json =>
    {
        json.WriteString("type", type);
        json.WriteString("status", status);
        WriteReference(json, reference);
        json.WriteString("room", room);
    });
}
