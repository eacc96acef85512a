using System.Text.Json;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>Clients: mailboxes, and what is done to clients of any transport.</summary>
internal sealed partial class ChatApi
{
    private ValueTask<ApiAnswer> Register(ApiRequest request)
    {
        var (name, room, id) = (request.Required("client_name"), Normalized(request.Required("chat_room")), request["client_id"]);
        var client = Normalized(id ?? name);
        if (CheckName(id is null ? "client_name" : "client_id", client) is { } badClient) return new(badClient);
        if (CheckName("chat_room", room) is { } badRoom) return new(badRoom);
        if (!hub.TryFindRoom(room, out _) && !hub.Options.AutoCreateRooms) return new(ApiOutcome.NoSuchRoom(room));
        var limits = hub.Options.Limits;
        var session = new Session(hub, SessionTransport.Rest, MessageFormat.JsonFrame, SilentVoice.Instance, null, request.Remote.ToString())
        {
            Mailbox = new Mailbox(limits.MailboxMessages, Configuration.ChatLimits.MailboxBytes),
            Account = request.Account,
        };
        var outcome = hub.TryOpen(session);
        if (!outcome.IsDone) return new(ApiOutcome.Refuse(outcome));
        outcome = hub.Enter(session, new EntryRequest(room, client, Entrance.Join, static _ => { }) { Password = Word(request) });
        if (!outcome.IsDone)
        {
            hub.Close(session, CloseReason.Gone, "");
            return new(ApiOutcome.Refuse(outcome));
        }
        _mailboxes.Add(session);
        return new(ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "registered");
            json.WriteString("client_id", session.Id);
            json.WriteString("client_name", name);
            json.WriteString("chat_room", room);
            json.WriteString("session", session.ResumeToken);
            json.WriteString("websocket_url", $"/ws/{Uri.EscapeDataString(session.Id)}/{Uri.EscapeDataString(room)}?session={session.ResumeToken}");
            json.WriteNumber("expires_in", (int)limits.MailboxTime.TotalSeconds);
            json.WriteString("requested_client_id", id ?? name);
            json.WriteString("requested_client_name", name);
            json.WriteString("requested_chat_room", room);
            json.WriteEndObject();
        }));
    }

    private ValueTask<ApiAnswer> Pause(ApiRequest request)
    {
        if (!TryTarget(request, "PAUSE", out var session, out var room, out var refusal)) return new(refusal);
        var rooms = new List<string>();
        var outcome = hub.Pause(session, room, rooms);
        return new(outcome.IsDone
            ? Changed("paused", session, room, rooms, json => json.WriteString("message", $"Client {session.Id} has been paused"))
            : ApiOutcome.Refuse(outcome with { Error = ChatError.NoSuchClient }));
    }

    private ValueTask<ApiAnswer> Resume(ApiRequest request)
    {
        if (!TryTarget(request, "RESUME", out var session, out var room, out var refusal)) return new(refusal);
        var rooms = new List<string>();
        var outcome = hub.Resume(session, room, rooms, out var missed);
        return new(outcome.IsDone
            ? Changed("resumed", session, room, rooms, json => json.WriteNumber("missed", missed))
            : ApiOutcome.Refuse(outcome with { Error = ChatError.NoSuchClient }));
    }

    private ValueTask<ApiAnswer> Close(ApiRequest request)
    {
        if (!TryTarget(request, "CLOSE", out var session, out var room, out var refusal)) return new(refusal);
        List<string> rooms = [.. session.Memberships.Select(member => member.Room.Name).Where(name => room is null || name == room)];
        if (room is null)
        {
            hub.Close(session, CloseReason.Closed, "an operator closed the session");
            return new(Changed("closed", session, room, rooms, static _ => { }));
        }
        var outcome = hub.Leave(session, room);
        return new(outcome.IsDone ? Changed("closed", session, room, rooms, static _ => { }) : ApiOutcome.Refuse(outcome with { Error = ChatError.NoSuchClient }));
    }

    private ValueTask<ApiAnswer> Describe(ApiRequest request)
    {
        var id = Normalized(request.Route("id"));
        IReadOnlyList<Membership> members = [];
        if (hub.TryFindClient(id, out var session)) members = session.Memberships;
        else if (hub.Departed.Find(id, hub.SteadyNow) is { } departed) (session, members) = (departed.Session, departed.Rooms);
        else return new(ApiOutcome.NoSuchClient(id));
        return new(ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            json.WriteString("client_id", session.Id);
            json.WriteString("transport", session.Transport.ToString().ToLowerInvariant());
            json.WriteString("remote", session.Remote);
            json.WriteBoolean("encrypted", session.IsEncrypted);
            json.WriteString("connected_at", DateTimeOffset.FromUnixTimeMilliseconds(session.ConnectedAt));
            json.WriteString("last_activity", DateTimeOffset.FromUnixTimeMilliseconds(hub.UnixOf(session.LastActivity)));
            json.WriteNumber("queue_bytes", session.PendingBytes);
            json.WriteBoolean("operator", session.IsOperator);
            json.WriteStartObject("chat_rooms");
            foreach (var member in members)
            {
                json.WriteStartObject(member.Room.Name);
                json.WriteString("status", member.ShownStatus.Name());
                json.WriteString("joined_at", DateTimeOffset.FromUnixTimeMilliseconds(member.JoinedAt));
                json.WriteNumber("missed", member.Missed);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            if (session.Reason is { } reason) json.WriteString("closed", reason.Word());
            json.WriteEndObject();
        }));
    }

    private static ApiAnswer Changed(string status, Session session, string? room, List<string> rooms, Action<Utf8JsonWriter> more) => ApiAnswer.Ok(json =>
    {
        json.WriteStartObject();
        json.WriteString("status", status);
        json.WriteString("client_id", session.Id);
        WriteNullable(json, "chat_room", room);
        json.WriteStartArray("rooms");
        foreach (var name in rooms) json.WriteStringValue(name);
        json.WriteEndArray();
        more(json);
        json.WriteEndObject();
    });

    /// <summary>The client that a request is about, when the caller may act for it.</summary>
    private bool TryTarget(ApiRequest request, string action, out Session session, out string? room, out ApiAnswer refusal)
    {
        var id = Normalized(request.Required("client_id"));
        room = request["chat_room"] is { } named ? Normalized(named) : null;
        refusal = default;
        if (!hub.TryFindClient(id, out session!))
        {
            refusal = ApiOutcome.NoSuchClient(id);
            return false;
        }
        if (!request.MayActFor(session))
        {
            refusal = ApiOutcome.Refuse(ChatError.NotOwner, $"the caller may not act for {id}");
            return false;
        }
        if (request.IsOperator && request.Account?.Name != id) hub.Audit(request.Remote.ToString(), action, $"{room ?? "*"}:{id}");
        return true;
    }
}
