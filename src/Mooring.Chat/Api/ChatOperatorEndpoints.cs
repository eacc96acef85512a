using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Api;

/// <summary>
/// The operator's API of the chat server, under <c>/api/chat</c>. It stands in the host of the operators, beside the chat's own REST API for
/// clients.
/// </summary>
public static class ChatOperatorEndpoints
{
    private const string OperatorName = "operator";
    private const int TopicMax = 200;

    /// <summary>Adds what the endpoints need. Other slices may do the same; none takes another's place.</summary>
    /// <param name="services">The host's services.</param>
    public static IServiceCollection AddChatOperatorApi(this IServiceCollection services) =>
        services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Add(ChatOperatorJson.Default));

    /// <summary>Maps the endpoints.</summary>
    /// <param name="endpoints">The host's endpoints.</param>
    public static void MapChatOperatorApi(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/chat/rooms").WithTags("chat");
        group.MapGet("", GetRooms).WithSummary("All rooms.");
        group.MapPost("", OpenRoom).WithSummary("Opens a room.").ProducesProblem(400).ProducesProblem(409);
        group.MapGet("/{room}", GetRoom).WithSummary("One room and who is in it.").ProducesProblem(404);
        group.MapPatch("/{room}", ChangeRoom).WithSummary("Gives a room a topic, locks or unlocks it.").ProducesProblem(404);
        group.MapDelete("/{room}", CloseRoom).WithSummary("Closes a room; its members are told.").ProducesProblem(404).ProducesProblem(409);
        group.MapGet("/{room}/messages", GetMessages).WithSummary("Messages that are kept, after a number.").ProducesProblem(404);
        group.MapPost("/{room}/messages", Say).WithSummary("Says something in a room.").ProducesProblem(400).ProducesProblem(404);
        group.MapPost("/{room}/members/{client}/pause", Pause).WithSummary("Suspends a member: it gets nothing until it is resumed.").ProducesProblem(404);
        group.MapPost("/{room}/members/{client}/resume", Resume).WithSummary("Ends a suspension; what was missed is sent.").ProducesProblem(404);
        group.MapDelete("/{room}/members/{client}", Remove).WithSummary("Takes a member out of a room.").ProducesProblem(404);
    }

    private static Ok<IReadOnlyList<RoomLine>> GetRooms(ChatServer chat)
    {
        IReadOnlyList<RoomLine> lines = [.. chat.Rooms.Select(r => new RoomLine(r.Name, r.Topic, r.Members, r.Paused, r.IsLocked, r.Messages))];
        return TypedResults.Ok(lines);
    }

    private static Results<Ok<RoomView>, ProblemHttpResult> GetRoom(ChatServer chat, string room) =>
        chat.Hub.TryFindRoom(Decoded(room), out var found) ? TypedResults.Ok(ViewOf(found)) : NoSuchRoom(room);

    private static Results<Created, ProblemHttpResult> OpenRoom(ChatServer chat, RoomRequest request)
    {
        var name = request.Name?.Normalize(NormalizationForm.FormC) ?? "";
        var outcome = chat.Hub.CreateRoom(name, OperatorName);
        chat.Hub.Outbox.Flush();
        return outcome.IsDone ? TypedResults.Created($"/api/chat/rooms/{Uri.EscapeDataString(name)}") : Problem(outcome);
    }

    private static Results<Ok<RoomView>, ProblemHttpResult> ChangeRoom(ChatServer chat, string room, RoomChange change)
    {
        if (!chat.Hub.TryFindRoom(Decoded(room), out var found)) return NoSuchRoom(room);
        if (change.Topic is { Length: > TopicMax }) return TypedResults.Problem($"topic: use at most {TopicMax} characters", statusCode: 400);
        if (change.Topic is { } topic) chat.Hub.SetTopic(found, topic, OperatorName);
        if (change.Locked is { } isLocked) found.IsLocked = isLocked;
        chat.Hub.Outbox.Flush();
        return TypedResults.Ok(ViewOf(found));
    }

    private static Results<NoContent, ProblemHttpResult> CloseRoom(HttpContext http, ChatServer chat, string room)
    {
        var outcome = chat.Hub.CloseRoom(Decoded(room), OperatorName);
        if (outcome.IsDone) chat.Hub.Audit($"{http.Connection.RemoteIpAddress}", "CLOSE", room);
        chat.Hub.Outbox.Flush();
        return outcome.IsDone ? TypedResults.NoContent() : Problem(outcome);
    }

    private static Results<Ok<RoomMessages>, ProblemHttpResult> GetMessages(ChatServer chat, string room, long? after, int? most)
    {
        if (!chat.Hub.TryFindRoom(Decoded(room), out var found)) return NoSuchRoom(room);
        var (kept, isTruncated) = found.History(Math.Max(0, after ?? 0));
        var shown = kept.TakeLast(Math.Clamp(most ?? 200, 1, 1_000));
        IReadOnlyList<RoomMessage> messages = [.. shown.Select(m => new RoomMessage(
            m.Sequence, DateTimeOffset.FromUnixTimeMilliseconds(m.UnixMilliseconds), m.Sender, Encoding.UTF8.GetString(m.Text)))];
        return TypedResults.Ok(new RoomMessages(messages, isTruncated, found.LastSequence));
    }

    private static Results<Ok<SayAnswer>, ProblemHttpResult> Say(ChatServer chat, string room, SayRequest request)
    {
        if (!chat.Hub.TryFindRoom(Decoded(room), out var found)) return NoSuchRoom(room);
        var from = request.From is { Length: > 0 } given ? given : OperatorName;
        if (!ChatNames.IsName(from) || chat.Hub.IsReserved(from)) return TypedResults.Problem($"from: '{from}' is not allowed", statusCode: 400);
        var limit = chat.Hub.Options.Limits.MessageScalarsMax;
        if (request.Text is not { Length: > 0 } text || text.EnumerateRunes().Count() > limit)
            return TypedResults.Problem($"text: use 1 to {limit} characters", statusCode: 400);
        var utf8 = Encoding.UTF8.GetBytes(text);
        var outcome = found.Publish(null, null, from, Encoding.UTF8.GetBytes(from), utf8, ChatText.IsPlain(utf8), out var receipt);
        chat.Hub.Outbox.Flush();
        return outcome.IsDone ? TypedResults.Ok(new SayAnswer(receipt.Sequence, receipt.Receivers)) : Problem(outcome);
    }

    private static Results<NoContent, ProblemHttpResult> Pause(ChatServer chat, string room, string client) =>
        Change(chat, client, session => chat.Hub.Pause(session, Decoded(room), []));

    private static Results<NoContent, ProblemHttpResult> Resume(ChatServer chat, string room, string client) =>
        Change(chat, client, session => chat.Hub.Resume(session, Decoded(room), [], out _));

    private static Results<NoContent, ProblemHttpResult> Remove(HttpContext http, ChatServer chat, string room, string client) =>
        Change(chat, client, session =>
        {
            if (chat.Hub.TryFindRoom(Decoded(room), out var found)) found.Notice(session, "an operator took you out of the room");
            var outcome = chat.Hub.Leave(session, Decoded(room));
            if (outcome.IsDone) chat.Hub.Audit($"{http.Connection.RemoteIpAddress}", "KICK", $"{room}:{client}");
            return outcome;
        });

    private static Results<NoContent, ProblemHttpResult> Change(ChatServer chat, string client, Func<Session, Outcome> change)
    {
        if (!chat.Hub.TryFindClient(Decoded(client), out var session)) return TypedResults.Problem($"there is no client '{client}'", statusCode: 404);
        var outcome = change(session);
        chat.Hub.Outbox.Flush();
        return outcome.IsDone ? TypedResults.NoContent() : Problem(outcome);
    }

    private static RoomView ViewOf(Room room) => new(
        room.Name, room.Topic, room.CreatedBy, DateTimeOffset.FromUnixTimeMilliseconds(room.CreatedAt), room.IsLocked, room.LastSequence,
        [.. room.Members.Select(m => new MemberLine(
            m.Session.Id, m.Status.Name(), m.Session.Transport.ToString().ToLowerInvariant(), m.Session.Remote,
            DateTimeOffset.FromUnixTimeMilliseconds(m.JoinedAt), m.Missed))]);

    private static ProblemHttpResult NoSuchRoom(string room) => Problem(ChatHub.NoSuchRoom(room));

    private static ProblemHttpResult Problem(in Outcome outcome) => TypedResults.Problem(outcome.Text, statusCode: outcome.Error switch
    {
        ChatError.NoSuchRoom or ChatError.NotMember => 404,
        ChatError.RoomExists or ChatError.ReservedRoom or ChatError.TooManyRooms => 409,
        ChatError.RateLimited => 429,
        ChatError.ShuttingDown => 503,
        _ => 400,
    });

    /// <summary>A slash in a name stays encoded in a route value, since it would be another segment.</summary>
    private static string Decoded(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
