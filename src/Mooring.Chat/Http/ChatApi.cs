using System.Text;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>The REST interface: one table of endpoints; what they do is in the other parts.</summary>
internal sealed partial class ChatApi(ChatServer server, ChatHub hub)
{
    private static readonly ApiField ClientId = new("client_id", IsRequired: true) { Description = "Id of a client." };
    private static readonly ApiField ChatRoom = new("chat_room", IsRequired: true) { Description = "Name of a room." };
    private static readonly ApiField MessageText = new("message_data", IsRequired: true) { Description = "Text of the message." };
    private static readonly ApiField Password = new("password", IsRequired: false) { Description = "The word that opens the room." };
    private static readonly ApiField SessionToken = new("session", IsRequired: true) { Description = "Secret that registering gave." };

    private readonly Mailboxes _mailboxes = new();
    private readonly IdempotencyKeys _sent = new();

    internal Mailboxes Mailboxes => _mailboxes;

    internal IReadOnlyList<ApiEndpoint> Endpoints() =>
    [
        new("POST", "/clients/register", "Opens a mailbox for a client that has no stream.", Register)
        {
            Body =
            [
                new ApiField("client_name", false, ChatNames.Automatic) { Description = "Id of the client, unless client_id is given." },
                new ApiField("chat_room", false, ChatNames.Main) { Description = "Room to join." },
                new ApiField("client_id", false) { Description = "Id of the client." },
                Password,
            ],
            Refusals = [404, 409, 503],
        },
        new("POST", "/clients/pause", "Suspends a client in one room or in all.", Pause)
        {
            Body = [ClientId, ChatRoom with { IsRequired = false }], Refusals = [404],
        },
        new("POST", "/clients/resume", "Ends a suspension.", Resume) { Body = [ClientId, ChatRoom with { IsRequired = false }], Refusals = [404] },
        new("POST", "/clients/close", "Removes a client from one room, or ends its session.", Close)
        {
            Body = [ClientId, ChatRoom with { IsRequired = false }], Refusals = [404],
        },
        new("GET", "/clients/{id}", "What is known of a client.", Describe) { Access = ApiAccess.Operator, Refusals = [404] },
        new("GET", "/clients/{id}/events", "Its mailbox as a stream of server-sent events.", Stream)
        {
            Query = [SessionToken, new ApiField("last_event_id", false)], Refusals = [404],
        },
        new("POST", "/messages/send", "Sends a message to a room.", Send) { Body = [MessageText, ChatRoom, ClientId], Refusals = [404, 413, 429] },
        new("POST", "/messages/client-to-client", "Sends a message to one member of a room.", SendDirect)
        {
            Body = [MessageText, ChatRoom, new ApiField("source_client_id", true), new ApiField("target_client_id", true)], Refusals = [404, 409, 413],
        },
        new("POST", "/hooks/{token}", "Says what another system sends: text, or JSON with text.", ReceiveHook) { Access = ApiAccess.Public, Refusals = [404, 413, 422] },
        new("GET", "/messages/history", "What is kept of a room.", History)
        {
            Query = [ChatRoom, new ApiField("since", false) { Description = "Sequence number, or epoch:number." }, new ApiField("limit", false), Password],
            Refusals = [404],
        },
        new("POST", "/messages/delete", "Takes a message out of the history.", Delete)
        {
            Body = [ChatRoom, new ApiField("seq", true)], Access = ApiAccess.Operator, Refusals = [404],
        },
        new("GET", "/messages/poll", "Takes what is in a mailbox, or waits for it.", Poll)
        {
            Query = [SessionToken, new ApiField("timeout", false) { Description = "Seconds to wait, 0 to 60." }], Refusals = [404],
        },
        new("POST", "/chatrooms", "Creates a room.", CreateRoom) { Body = [ChatRoom, ClientId, Password], Refusals = [409, 503] },
        new("POST", "/chatrooms/join", "Lets a client into a room.", Join) { Body = [ChatRoom, ClientId, Password], Refusals = [404] },
        new("POST", "/chatrooms/leave", "Takes a client out of a room.", Leave) { Body = [ChatRoom, ClientId], Refusals = [404] },
        new("GET", "/chatrooms/list", "Rooms and members.", List)
        {
            Query =
            [
                new ApiField("list_type", false, "CHAT_ROOMS") { Description = Listing.Names }, ClientId with { IsRequired = false },
                ChatRoom with { IsRequired = false }, new ApiField("limit", false), new ApiField("after", false),
            ],
        },
        new("GET", "/chatrooms/list-dict", "Rooms and members with their status.", ListDictionary)
        {
            Query = [new ApiField("list_type", false, "CHAT_ROOMS"), ClientId with { IsRequired = false }, ChatRoom with { IsRequired = false }],
        },
        new("GET", "/server/status", "What the server does.", Status),
        new("POST", "/admin/reload", "Reads certificates and tokens again.", Reload) { Body = [], Access = ApiAccess.Operator },
        new("POST", "/admin/drain", "Tells all clients to come back later; nobody is let in any more.", Drain) { Body = [], Access = ApiAccess.Operator },
    ];

    private static ApiAnswer? CheckName(string field, string name) => ChatNames.IsName(name)
        ? null
        : ApiWriter.Invalid([new ApiFault("string_pattern_mismatch", field, "String should be 1 to 64 characters without blanks, colons and controls")]);

    private ApiAnswer? CheckText(string text)
    {
        var limit = hub.Options.Limits.MessageScalarsMax;
        return text.EnumerateRunes().Count() > limit
            ? ApiOutcome.Refuse(ChatError.MessageTooLong, $"Message exceeds maximum length of {limit} characters")
            : null;
    }

    private static string Normalized(string name)
    {
        try
        {
            return name.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            // Half a surrogate pair; the check of the name says so.
            return "";
        }
    }

    private static void WriteNullable(System.Text.Json.Utf8JsonWriter json, string name, string? value)
    {
        if (value is null) json.WriteNull(name);
        else json.WriteString(name, value);
    }
}
