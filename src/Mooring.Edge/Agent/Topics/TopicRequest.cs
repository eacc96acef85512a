using System.Text.Json;

namespace Mooring.Edge.Agent.Topics;

/// <summary>A message from a hub that was checked against its topic's contract.</summary>
/// <param name="message">The message, an object.</param>
internal sealed class TopicRequest(JsonElement message)
{
    /// <summary>The message, an object.</summary>
    public JsonElement Message { get; } = message;

    /// <summary>The device it is about; only for topics whose contract demands one.</summary>
    public string DeviceId => Text("device_id") ?? "";

    /// <summary>A text; null when it is absent or null.</summary>
    public string? Text(string name) => Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>A number; null when it is absent, null or not a number.</summary>
    public double? Number(string name) => Find(name) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

    /// <summary>A truth value, or what stands for it when it is absent.</summary>
    public bool Flag(string name, bool absent) => Find(name) switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => absent,
    };

    /// <summary>A member of the message; null when it is absent or null.</summary>
    public JsonElement? Find(string name) =>
        Message.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The items of a list; none when it is absent.</summary>
    public IEnumerable<JsonElement> Items(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];
}
