using System.Text;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Lines;

/// <summary>What a refusal is about; the classic server chose its words by it.</summary>
internal readonly record struct ErrorContext(ChatVerb Verb, string Room = ErrorContext.Any, string Client = ErrorContext.Any)
{
    internal const string Any = "*";
}

/// <summary>Writes the answers of the server; see docs/wire/chat.md.</summary>
internal class LineReplies(string lineEnd)
{
    internal virtual byte[]? Ok(ChatVerb verb, string room, string client, string text = "") =>
        Line(text.Length == 0 ? $"OK {ChatLine.NameOf(verb)} {room}:{client}" : $"OK {ChatLine.NameOf(verb)} {room}:{client} {text}");

    internal virtual byte[] Error(in ErrorContext context, ChatError error, string text) =>
        Line($"ERROR {context.Room}:{context.Client} {error.Code()} {text}");

    internal virtual byte[]? GoodBye(string client) => Ok(ChatVerb.Quit, ErrorContext.Any, client, "Good Bye!");

    internal virtual byte[]? Pong(string token) => Line($"PONG {token}".TrimEnd());

    /// <summary>One line, made harmless: what came from a client must not look like a line of the server.</summary>
    internal byte[] Line(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var line = new byte[bytes.Length + lineEnd.Length];
        var length = ChatText.CopyWithoutControls(bytes, line);
        length += Encoding.ASCII.GetBytes(lineEnd, line.AsSpan(length));
        return line[..length];
    }
}
