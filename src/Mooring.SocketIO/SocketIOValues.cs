using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO;

/// <summary>
/// The values that came with an event or an acknowledgement. They are JSON that is only read when asked for. An index without a value
/// reads as null, false or zero, as the other implementations have it.
/// </summary>
public abstract class SocketIOValues
{
    private readonly Slice[] _slices;
    private readonly int _first;

    private protected SocketIOValues(Slice[] slices, int first, int count, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        (_slices, _first) = (slices, first);
        Count = count;
        Attachments = attachments;
    }

    /// <summary>How many values there are.</summary>
    public int Count { get; }

    /// <summary>Bytes that travelled beside the JSON, in the order of their numbers.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Attachments { get; }

    private protected abstract ReadOnlySpan<byte> Frame { get; }

    /// <summary>A value as it came: JSON in UTF-8. It is lent like the event itself.</summary>
    /// <param name="index">Which value, from 0.</param>
    /// <returns>The JSON; empty when there is no such value.</returns>
    public ReadOnlySpan<byte> GetJson(int index) => (uint)index < (uint)Count ? _slices[_first + index].Of(Frame) : default;

    /// <summary>A value as one's own type.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="index">Which value, from 0.</param>
    /// <param name="type">How it is read, from a source-generated context.</param>
    /// <returns>The value.</returns>
    /// <exception cref="JsonException">The value is something else.</exception>
    public T? Get<T>(int index, JsonTypeInfo<T> type)
    {
        var json = GetJson(index);
        return json.IsEmpty ? default : JsonSerializer.Deserialize(json, type);
    }

    /// <summary>A value as a tree of its own, which may be kept.</summary>
    /// <param name="index">Which value, from 0.</param>
    /// <returns>The tree; of kind Undefined when there is no such value.</returns>
    public JsonElement GetElement(int index)
    {
        var json = GetJson(index);
        if (json.IsEmpty) return default;
        var reader = new Utf8JsonReader(json);
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>A text.</summary>
    /// <param name="index">Which value, from 0.</param>
    /// <returns>The text; null when the value is null or missing.</returns>
    /// <exception cref="JsonException">The value is something else.</exception>
    public string? GetString(int index)
    {
        var json = GetJson(index);
        if (json.IsEmpty) return null;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        try
        {
            return reader.TokenType is JsonTokenType.String or JsonTokenType.Null ? reader.GetString() : throw NotA("text", index);
        }
        catch (InvalidOperationException)
        {
            throw NotA("text", index);
        }
    }

    /// <summary>A whole number.</summary>
    /// <param name="index">Which value, from 0.</param>
    /// <returns>The number; 0 when the value is missing.</returns>
    /// <exception cref="JsonException">The value is something else.</exception>
    public long GetInt64(int index)
    {
        var json = GetJson(index);
        if (json.IsEmpty) return 0;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : throw NotA("whole number", index);
    }

    /// <summary>True or false.</summary>
    /// <param name="index">Which value, from 0.</param>
    /// <returns>The value; false when it is missing.</returns>
    /// <exception cref="JsonException">The value is something else.</exception>
    public bool GetBoolean(int index) => GetJson(index) switch
    {
        { IsEmpty: true } => false,
        var json when json.SequenceEqual("true"u8) => true,
        var json when json.SequenceEqual("false"u8) => false,
        _ => throw NotA("boolean", index),
    };

    /// <summary>Bytes: the attachment that stands in the place of a value.</summary>
    /// <param name="index">Which value, from 0.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="JsonException">The value is something else.</exception>
    public ReadOnlyMemory<byte> GetBinary(int index)
    {
        var json = GetJson(index);
        if (!json.IsEmpty)
        {
            var reader = new Utf8JsonReader(json);
            int? number = null;
            var isPlaceholder = false;
            reader.Read();
            while (reader.TokenType == JsonTokenType.StartObject || reader.TokenType == JsonTokenType.PropertyName || reader.CurrentDepth > 0)
            {
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    var (isMark, isNumber) = (reader.ValueTextEquals("_placeholder"u8), reader.ValueTextEquals("num"u8));
                    reader.Read();
                    if (isMark) isPlaceholder = reader.TokenType == JsonTokenType.True;
                    else if (isNumber && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var n)) number = n;
                    reader.Skip();
                }
                if (!reader.Read()) break;
            }
            if (isPlaceholder && number is { } at && at >= 0 && at < Attachments.Count) return Attachments[at];
        }
        throw NotA("binary", index);
    }

    private static JsonException NotA(string kind, int index) => new($"value {index} is no {kind}");
}
