using System.Globalization;
using System.Text;
using System.Text.Json;
using Mooring.Chat.Lines;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>Messages.</summary>
internal sealed partial class ChatApi
{
    private ValueTask<ApiAnswer> Send(ApiRequest request)
    {
        var (text, room, client) = (request.Required("message_data"), Normalized(request.Required("chat_room")), Normalized(request.Required("client_id")));
        if (CheckName("client_id", client) is { } badClient) return new(badClient);
        if (!hub.TryFindRoom(room, out var found)) return new(ApiOutcome.NoSuchRoom(room));
        if (CheckText(text) is { } badText) return new(badText);
        var key = request.Context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length > IdempotencyKeys.KeyLengthMax) return new(ApiOutcome.Refuse(ChatError.BadArgument, $"Idempotency-Key has more than {IdempotencyKeys.KeyLengthMax} characters"));
        var scopedKey = key.Length == 0 ? "" : $"{room}:{client}:{key}";
        if (key.Length > 0 && _sent.TryGet(scopedKey, hub.Now, out var first)) return new(Sent(text, found, first.Value));
        var outcome = TryPublish(request, found, client, text, out var receipt);
        if (!outcome.IsDone) return new(ApiOutcome.Refuse(outcome));
        if (key.Length > 0) _sent.Add(scopedKey, receipt, hub.Now);
        return new(Sent(text, found, receipt));
    }

    private Outcome TryPublish(ApiRequest request, Room room, string client, string text, out Receipt receipt)
    {
        receipt = default;
        hub.TryFindClient(client, out var session);
        var member = session?.In(room.Name);
        var mustBeMember = hub.Options.RestSendRequiresMembership || hub.Access.IsRequired || room.Password is not null;
        if (mustBeMember && !request.IsOperator && request.Account?.MayUse(client) != true && (session is null || !request.MayActFor(session)))
            return new Outcome(ChatError.NotOwner, $"the caller may not act for {client}");
        if (mustBeMember && member is null) return new Outcome(ChatError.NotMember, $"{client} is not in {room.Name}");
        if (hub.IsReserved(client)) return new Outcome(ChatError.ReservedId, $"{client} is reserved");
        // A client that comes without a stream may be known by nothing but its name; then only the room's rate holds.
        var limits = hub.Options.Limits;
        if (session is not null && !request.IsOperator && !session.TryTakeToken(limits.Rate, limits.RateBurst, hub.SteadyNow, out var wait))
        {
            hub.Counters.RateLimited();
            return Outcome.TooFast(wait);
        }
        session?.Touch();
        var utf8 = Encoding.UTF8.GetBytes(text);
        var outcome = room.Publish(session, member, client, Encoding.UTF8.GetBytes(client), utf8, ChatText.IsPlain(utf8), out receipt);
        if (outcome.IsDone) hub.Hear(room, client, request.Account, utf8);
        return outcome;
    }

    private ApiAnswer Sent(string text, Room room, Receipt receipt) => ApiAnswer.Ok(json =>
    {
        json.WriteStartObject();
        json.WriteString("status", "sent");
        json.WriteString("message", text);
        json.WriteString("chat_room", room.Name);
        json.WriteNumber("clients_notified", receipt.Receivers);
        json.WriteNumber("members", room.Count);
        json.WriteNumber("seq", receipt.Sequence);
        WriteStamp(json, receipt.Id, receipt.UnixMilliseconds);
        json.WriteEndObject();
    });

    private ValueTask<ApiAnswer> SendDirect(ApiRequest request)
    {
        var (text, room) = (request.Required("message_data"), Normalized(request.Required("chat_room")));
        var (source, target) = (Normalized(request.Required("source_client_id")), Normalized(request.Required("target_client_id")));
        if (!hub.TryFindRoom(room, out _)) return new(ApiOutcome.NoSuchRoom(room));
        if (CheckText(text) is { } badText) return new(badText);
        if (!hub.TryFindClient(source, out var session)) return new(ApiOutcome.NoSuchClient(source));
        if (!request.MayActFor(session)) return new(ApiOutcome.Refuse(ChatError.NotOwner, $"the caller may not act for {source}"));
        if (session.In(room) is not { } member) return new(ApiOutcome.Refuse(ChatError.NotMember, $"{source} is not in {room}"));
        session.Touch();
        var results = new List<ChatHub.DirectResult>(1);
        var outcome = hub.Direct(member, [target], Encoding.UTF8.GetBytes(text), results, out var receipt);
        if (!outcome.IsDone) return new(ApiOutcome.Refuse(outcome));
        if (results[0].Error != ChatError.None) return new(ApiOutcome.Refuse(results[0].Error, $"{target} was not reached"));
        return new(ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", results[0].IsWaiting ? "queued" : "sent");
            json.WriteString("message", text);
            json.WriteString("chat_room", room);
            json.WriteString("source_client_id", source);
            json.WriteString("target_client_id", target);
            WriteStamp(json, receipt.Id, receipt.UnixMilliseconds);
            json.WriteString("requested_source", source);
            json.WriteString("requested_target", target);
            json.WriteString("requested_room", room);
            json.WriteEndObject();
        }));
    }

    private ValueTask<ApiAnswer> History(ApiRequest request)
    {
        var name = Normalized(request.Query("chat_room") ?? ChatNames.Main);
        if (!hub.TryFindRoom(name, out var room)) return new(ApiOutcome.NoSuchRoom(name));
        var opened = request.IsOperator ? Outcome.Done : hub.CheckPassword(room, request.Query("password"), request.Remote.ToString());
        if (!opened.IsDone) return new(ApiOutcome.Refuse(opened));
        var limit = Number(request.Query("limit"), hub.Options.Limits.HistorySize);
        var (epoch, since) = Resumption.ParsePlace(request.Query("since") ?? "0");
        if (limit < 1 || since < 0) return new(ApiOutcome.Refuse(ChatError.BadArgument, "since is a sequence number or epoch:number, limit a number from 1"));
        var isOther = epoch is { } other && other != hub.Epoch;
        var (messages, isTruncated) = room.History(isOther ? 0 : since);
        var shown = messages.Count > limit ? messages[..(int)limit] : messages;
        return new(ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            json.WriteString("chat_room", name);
            json.WriteString("epoch", hub.Epoch.ToString("x16", CultureInfo.InvariantCulture));
            json.WriteStartArray("messages");
            foreach (var kept in shown) json.WriteRawValue(Room.EncodeJson(room.ToMessage(kept)), skipInputValidation: true);
            json.WriteEndArray();
            json.WriteBoolean("truncated", isTruncated || isOther);
            json.WriteNumber("last_seq", room.LastSequence);
            json.WriteEndObject();
        }));
    }

    private ValueTask<ApiAnswer> Delete(ApiRequest request)
    {
        var name = Normalized(request.Required("chat_room"));
        if (!hub.TryFindRoom(name, out var room)) return new(ApiOutcome.NoSuchRoom(name));
        var sequence = Number(request["seq"], -1);
        if (!room.DeleteMessage(sequence)) return new(ApiAnswer.Refuse(404, $"{name} keeps no message {request["seq"]}"));
        hub.Forget(room, sequence);
        hub.Audit(request.Remote.ToString(), "DELETE", $"{name} message {sequence}");
        return new(ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "deleted");
            json.WriteString("chat_room", name);
            json.WriteNumber("seq", sequence);
            json.WriteEndObject();
        }));
    }

    private void WriteStamp(Utf8JsonWriter json, long id, long unixMilliseconds)
    {
        Span<byte> buffer = stackalloc byte[64];
        var text = new ByteText(buffer);
        MessageWriter.AddId(ref text, hub.Epoch, id);
        json.WriteString("id", buffer[..text.Length]);
        text = new ByteText(buffer);
        text.AddTime(unixMilliseconds);
        json.WriteString("time", buffer[..text.Length]);
    }

    private static long Number(string? text, long standard) =>
        text is null ? standard : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
