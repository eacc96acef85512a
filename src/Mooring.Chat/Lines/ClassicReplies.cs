using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Lines;

/// <summary>The texts of the classic server, for clients that look for them. What it did in silence stays silent.</summary>
internal sealed class ClassicReplies(ChatHub hub) : LineReplies("\n")
{
    internal override byte[]? Ok(ChatVerb verb, string room, string client, string text = "") => null;

    internal override byte[]? GoodBye(string client) => Line("Good Bye!");

    internal override byte[]? Pong(string token) => null;

    internal override byte[] Error(in ErrorContext context, ChatError error, string text)
    {
        var (verb, room) = (context.Verb, context.Room);
        return Line((error, verb) switch
        {
            (ChatError.UnknownCommand, _) => $"ERROR: The {text} command is not a valid command, the client connection will be closed",
            (ChatError.ServerFull, _) =>
                "ERROR: The maximum number of clients has been reached. No more clients are allowed, the client connection will be closed",
            (ChatError.BadArgument or ChatError.MissingArgument, _) => $"Invalid format: {text}",
            (ChatError.MessageTooLong or ChatError.LineTooLong, _) =>
                $"Message exceeds maximum length of {hub.Options.Limits.MessageScalarsMax} characters",
            (ChatError.BadEncoding, _) => "Invalid message encoding",
            (ChatError.NoSuchRoom, ChatVerb.Hello) => $"Chat room {room} does not exist. Please add it first.",
            (ChatError.NoSuchRoom, ChatVerb.Join) => $"ERROR Chat room {room} can not be joined because it does not exist.",
            (ChatError.RoomExists, _) => $"ERROR {room}:{context.Client} ERROR: Chat Room {room} already exists.",
            (ChatError.ReservedRoom, _) => $"ERROR {room}:{context.Client} ERROR: You cannot create the main chat room",
            (ChatError.NotRegistered or ChatError.NotMember or ChatError.NoSuchRoom, ChatVerb.Send) =>
                "ERROR: You have not registered or joined this chat room yet, please say HELLO or JOIN first.",
            (_, ChatVerb.Hello) => $"Registration failed: {text}",
            (_, ChatVerb.New) => $"Room creation failed: {text}",
            (_, ChatVerb.Join) => $"Join failed: {text}",
            (_, ChatVerb.Pause) => $"Pause failed: {text}",
            (_, ChatVerb.List) => $"ERROR List failed: {text}",
            _ => $"Command processing failed: {text}",
        });
    }
}
