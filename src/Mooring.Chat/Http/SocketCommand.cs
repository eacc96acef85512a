using System.Text.Json;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Http;

/// <summary>A command of a WebSocket client, of either protocol.</summary>
internal readonly record struct SocketCommand
{
    public SocketCommand()
    {
    }

    internal ChatVerb Verb { get; init; }

    internal string? Room { get; init; }

    internal string Text { get; init; } = "";

    internal IReadOnlyList<string> Targets { get; init; } = [];

    internal string ListType { get; init; } = "";

    internal string Argument { get; init; } = "";

    /// <summary>The word that opens the room.</summary>
    internal string? Password { get; init; }

    internal string? Since { get; init; }

    internal string? Last { get; init; }

    /// <summary>What the client wants to see again in the answer.</summary>
    internal JsonElement Reference { get; init; }

    /// <exception cref="JsonException">A member is of a wrong kind.</exception>
    internal static SocketCommand Parse(JsonElement root)
    {
        var type = TextOf(root, "type") ?? "";
        var listType = TextOf(root, "list_type") ?? "";
        return new SocketCommand
        {
            Verb = ChatLine.Parse(System.Text.Encoding.UTF8.GetBytes(type)).Verb,
            Room = TextOf(root, "room"),
            Text = TextOf(root, "text") ?? "",
            Password = TextOf(root, "password"),
            Targets = root.TryGetProperty("to", out var targets) && targets.ValueKind == JsonValueKind.Array
                ? [.. targets.EnumerateArray().Select(target => target.GetString() ?? "")]
                : [],
            ListType = listType,
            Argument = TextOf(root, "client_id") ?? TextOf(root, "chat_room") ?? "",
            Since = Place(root, "since"),
            Last = Place(root, "last"),
            Reference = root.TryGetProperty("ref", out var reference) ? reference : default,
        };
    }

    internal static string? Place(string argument, string prefix) =>
        argument.StartsWith(prefix, StringComparison.Ordinal) ? argument[prefix.Length..] : null;

    private static string? TextOf(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw new JsonException($"{name} is a text");
    }

    private static string? Place(JsonElement root, string name) => root.TryGetProperty(name, out var value)
        ? value.ValueKind switch
        {
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String => value.GetString(),
            _ => throw new JsonException($"{name} is a number or epoch:number"),
        }
        : null;
}
