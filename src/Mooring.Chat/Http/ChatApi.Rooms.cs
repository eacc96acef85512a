using System.Globalization;
using System.Net;
using System.Text.Json;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>Rooms, listings and the server's status.</summary>
internal sealed partial class ChatApi
{
    private const int StatusRoomsMax = 1000;

    private ValueTask<ApiAnswer> CreateRoom(ApiRequest request)
    {
        var (room, client) = (Normalized(request.Required("chat_room")), Normalized(request.Required("client_id")));
        if (CheckName("chat_room", room) is { } badRoom) return new(badRoom);
        if (CheckName("client_id", client) is { } badClient) return new(badClient);
        hub.TryFindClient(client, out var session);
        if (session is not null && !request.MayActFor(session)) return new(ApiOutcome.Refuse(ChatError.NotOwner, $"the caller may not act for {client}"));
        if (session is null && hub.IsReserved(client)) return new(ApiOutcome.Refuse(ChatError.ReservedId, $"{client} is reserved"));
        var outcome = session is null
            ? hub.CreateRoom(room, client, Word(request))
            : hub.Enter(session, new EntryRequest(room, client, Entrance.Create, static _ => { }) { Password = Word(request) });
        return new(outcome.IsDone ? RoomAnswer("created", room, client, null) : ApiOutcome.Refuse(outcome));
    }

    private ValueTask<ApiAnswer> Join(ApiRequest request)
    {
        if (!TryTarget(request, "JOIN", out var session, out var room, out var refusal)) return new(refusal);
        session.Touch();
        var outcome = hub.Enter(session, new EntryRequest(room!, session.Id, Entrance.Join, static _ => { }) { Password = Word(request) });
        if (outcome.Error == ChatError.NoSuchRoom) return new(ApiOutcome.NoSuchRoom(room!));
        return new(outcome.IsDone ? RoomAnswer("joined", room!, session.Id, hub.TryFindRoom(room!, out var found) ? found : null) : ApiOutcome.Refuse(outcome));
    }

    private static string? Word(ApiRequest request) => request["password"] is { Length: > 0 } word ? word : null;

    private ValueTask<ApiAnswer> Leave(ApiRequest request)
    {
        if (!TryTarget(request, "LEAVE", out var session, out var room, out var refusal)) return new(refusal);
        session.Touch();
        var outcome = hub.Leave(session, room!);
        return new(outcome.IsDone ? RoomAnswer("left", room!, session.Id, null) : ApiOutcome.Refuse(outcome with { Error = ChatError.NoSuchRoom }));
    }

    private static ApiAnswer RoomAnswer(string status, string room, string client, Room? found) => ApiAnswer.Ok(json =>
    {
        json.WriteStartObject();
        json.WriteString("status", status);
        json.WriteString("chat_room", room);
        json.WriteString("client_id", client);
        if (found is not null)
        {
            json.WriteNumber("members", found.Count);
            json.WriteNumber("last_seq", found.LastSequence);
        }
        json.WriteString("requested_room", room);
        json.WriteString("requested_by", client);
        json.WriteEndObject();
    });

    private ValueTask<ApiAnswer> List(ApiRequest request)
    {
        if (!TryListing(request, out var type, out var argument, out var listing)) return new(BadListing());
        var limit = (int)Math.Clamp(Number(request.Query("limit"), int.MaxValue), 0, int.MaxValue);
        if (limit is 0) return new(ApiOutcome.Refuse(ChatError.BadArgument, "limit is a number from 1"));
        IEnumerable<ListedRoom> all = listing.Rooms;
        if (request.Query("after") is { } after) all = all.SkipWhile(room => room.Name != after).Skip(1);
        var page = all.Take(limit).ToList();
        var hasMore = all.Skip(limit).Any();
        return new(ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            WriteListing(json, type, argument, page);
            if (hasMore) json.WriteString("next", page[^1].Name);
            json.WriteEndObject();
        }));
    }

    private static void WriteListing(Utf8JsonWriter json, ListType type, string argument, List<ListedRoom> rooms)
    {
        switch (type)
        {
            case ListType.ChatRooms:
                WriteNames(json, "chat_rooms", rooms.Select(room => room.Name));
                break;
            case ListType.All:
                json.WriteStartObject("chat_rooms");
                foreach (var room in rooms)
                {
                    json.WriteStartObject(room.Name);
                    WriteNames(json, "clients", room.Members.Select(member => member.Client));
                    json.WriteNumber("client_count", room.Members.Count);
                    json.WriteEndObject();
                }
                json.WriteEndObject();
                break;
            case ListType.ChatRoomAndClients:
                json.WriteStartObject("chat_rooms");
                foreach (var room in rooms) WriteNames(json, room.Name, room.Members.Select(member => member.Client));
                json.WriteEndObject();
                break;
            case ListType.ClientChatRooms:
                json.WriteString("client_id", argument);
                WriteNames(json, "chat_rooms", rooms.Select(room => room.Name));
                break;
            default:
                json.WriteString("chat_room", argument);
                WriteNames(json, "clients", rooms.SelectMany(room => room.Members).Select(member => member.Client));
                break;
        }
    }

    private ValueTask<ApiAnswer> ListDictionary(ApiRequest request)
    {
        if (!TryListing(request, out var type, out var argument, out var listing)) return new(BadListing());
        return new(ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            WriteDictionary(json, type, argument, listing);
            json.WriteEndObject();
        }));
    }

    internal static void WriteDictionary(Utf8JsonWriter json, ListType type, string argument, Listing listing)
    {
        json.WriteString("type", Listing.Name(type).ToLowerInvariant().Replace('_', ' '));
        WriteDictionaryRooms(json, type, argument, listing);
    }

    internal static void WriteDictionaryRooms(Utf8JsonWriter json, ListType type, string argument, Listing listing)
    {
        if (type == ListType.ClientChatRooms)
        {
            json.WriteString("client_id", argument);
            WriteNames(json, "chat_rooms", listing.Rooms.Select(room => room.Name));
        }
        else if (type == ListType.ClientsForChatRoom)
        {
            json.WriteString("chat_room_name", argument);
            WriteNames(json, "client_list", listing.Rooms.SelectMany(room => room.Members).Select(member => member.Client));
        }
        json.WriteStartObject("chatroom_list");
        foreach (var room in type is ListType.ClientChatRooms or ListType.ClientsForChatRoom ? [] : listing.Rooms)
        {
            json.WriteStartObject(room.Name);
            if (type == ListType.ChatRoomAndClients) WriteNames(json, "client_list", room.Members.Select(member => member.Client));
            foreach (var (client, status) in type == ListType.All ? room.Members : [])
            {
                json.WriteStartObject(client);
                json.WriteString("client_id", client);
                json.WriteString("status", status.Name());
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private bool TryListing(ApiRequest request, out ListType type, out string argument, out Listing listing)
    {
        argument = "";
        listing = null!;
        if (!Listing.TryParse(request.Query("list_type") ?? "", out type)) return false;
        argument = Normalized(type switch
        {
            ListType.ClientChatRooms => request.Query("client_id"),
            ListType.ClientsForChatRoom => request.Query("chat_room"),
            _ => "",
        } ?? "");
        if (argument.Length == 0 && type is ListType.ClientChatRooms or ListType.ClientsForChatRoom && argument.Length == 0) return false;
        listing = hub.List(type, argument, Viewer(request), request.IsOperator);
        return true;
    }

    /// <summary>The client that calls, when its account or its secret says which one it is.</summary>
    private Session? Viewer(ApiRequest request)
    {
        if (_mailboxes.TryFind(request.Query("session"), out var session)) return session;
        return request.Account is { } account && hub.TryFindClient(account.Name, out session) ? session : null;
    }

    private static ApiAnswer BadListing() => new(400, static json =>
    {
        json.WriteStartObject();
        json.WriteString("error", "Invalid list_type or missing required parameters");
        json.WriteEndObject();
    });

    private ValueTask<ApiAnswer> Status(ApiRequest request) => new(ApiAnswer.Ok(json =>
    {
        var (options, counters) = (hub.Options, hub.Counters);
        var socket = server.SocketEndPoints is [var first, ..] ? first : options.Sockets[0];
        var http = server.HttpEndPoint ?? options.Http;
        var rooms = hub.Rooms();
        var viewer = Viewer(request);
        json.WriteStartObject();
        json.WriteString("host", socket.Address.ToString());
        json.WriteString("port", socket.Port.ToString(CultureInfo.InvariantCulture));
        json.WriteNumber("client_count", hub.Sessions().Count(session => session.IsRegistered));
        json.WriteNumber("max_clients", options.Limits.ClientsMax);
        json.WriteNumber("max_message_length", options.Limits.MessageScalarsMax);
        json.WriteBoolean("use_ssl", options.UseSsl);
        WriteRooms(json, [.. rooms.Where(room => ChatHub.MaySee(room, viewer, request.IsOperator))]);
        json.WriteString("version", ChatServer.Version);
        json.WriteString("mode", options.Mode.ToString().ToLowerInvariant());
        json.WriteNumber("uptime_s", (hub.Now - hub.StartedAt) / 1000);
        json.WriteString("epoch", hub.Epoch.ToString("x16", CultureInfo.InvariantCulture));
        WriteEndPoints(json, socket, http);
        json.WriteStartObject("sessions");
        json.WriteNumber("tcp", counters.Open(SessionTransport.Tcp));
        json.WriteNumber("ws", counters.Open(SessionTransport.WebSocket));
        json.WriteNumber("rest", counters.Open(SessionTransport.Rest));
        json.WriteEndObject();
        json.WriteNumber("memberships", rooms.Sum(room => room.Count));
        json.WriteNumber("messages_in", counters.MessagesIn);
        json.WriteNumber("deliveries", counters.Deliveries);
        json.WriteNumber("dropped", counters.MessagesDropped);
        json.WriteNumber("slow_consumer_closes", counters.SlowConsumerCloses);
        json.WriteNumber("rate_limited", counters.RateLimitHits);
        json.WriteBoolean("draining", hub.IsDraining);
        WriteNullable(json, "config_file", options.ConfigFile);
        json.WriteEndObject();
    }));

    private static void WriteRooms(Utf8JsonWriter json, Room[] rooms)
    {
        json.WriteStartArray("chat_rooms");
        foreach (var room in rooms.Take(StatusRoomsMax))
        {
            var members = room.Members;
            json.WriteStartObject();
            json.WriteString("name", room.Name);
            json.WriteNumber("client_count", members.Count);
            WriteNames(json, "clients", members.Select(member => member.Session.Id));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (rooms.Length > StatusRoomsMax) json.WriteBoolean("chat_rooms_truncated", true);
    }

    private static void WriteEndPoints(Utf8JsonWriter json, IPEndPoint socket, IPEndPoint http)
    {
        json.WriteString("http_host", http.Address.ToString());
        json.WriteNumber("http_port", http.Port);
        json.WriteNumber("socket_port", socket.Port);
    }

    private ValueTask<ApiAnswer> Reload(ApiRequest request)
    {
        hub.Audit(request.Remote.ToString(), "RELOAD", "certificates and tokens");
        server.ReloadFiles();
        return new(Done("reloaded"));
    }

    private ValueTask<ApiAnswer> Drain(ApiRequest request)
    {
        hub.Audit(request.Remote.ToString(), "DRAIN", "all clients");
        _ = server.DrainAsync();
        return new(Done("draining"));
    }

    private static ApiAnswer Done(string status) => ApiAnswer.Ok(json =>
    {
        json.WriteStartObject();
        json.WriteString("status", status);
        json.WriteEndObject();
    });

    private static void WriteNames(Utf8JsonWriter json, string property, IEnumerable<string> names)
    {
        json.WriteStartArray(property);
        foreach (var name in names) json.WriteStringValue(name);
        json.WriteEndArray();
    }
}
