using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO;

/// <summary>
/// Arguments of an event or an acknowledgement, for those that are not one value. Encoded as they are added; may be sent more than once.
/// <code>
/// await socket.EmitAsync("frame", new SocketIOArguments().Add("camera 1").Add(42).AddBinary(pixels));
/// </code>
/// </summary>
public sealed class SocketIOArguments
{
    /// <summary>The wire is not HTML: only what JSON demands is escaped.</summary>
    internal static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _json = new();
    private List<ReadOnlyMemory<byte>>? _attachments;
    private int _count;

    /// <summary>How many arguments there are.</summary>
    public int Count => _count;

    internal ReadOnlySpan<byte> Json => _json.WrittenSpan;

    internal IReadOnlyList<ReadOnlyMemory<byte>>? Attachments => _attachments;

    internal int AttachmentCount => _attachments?.Count ?? 0;

    /// <summary>Adds a text, or null.</summary>
    /// <param name="value">The text.</param>
    /// <returns>These arguments.</returns>
    public SocketIOArguments Add(string? value)
    {
        Next();
        using var writer = new Utf8JsonWriter(_json, WriterOptions);
        writer.WriteStringValue(value);
        return this;
    }

    /// <summary>Adds a whole number.</summary>
    /// <param name="value">The number.</param>
    /// <returns>These arguments.</returns>
    public SocketIOArguments Add(long value)
    {
        Next();
        _json.Advance(value.TryFormat(_json.GetSpan(20), out var written, default, CultureInfo.InvariantCulture) ? written : 0);
        return this;
    }

    /// <summary>Adds true or false.</summary>
    /// <param name="value">The value.</param>
    /// <returns>These arguments.</returns>
    public SocketIOArguments Add(bool value)
    {
        Next();
        _json.Write(value ? "true"u8 : "false"u8);
        return this;
    }

    /// <summary>Adds a value of one's own type.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="type">How it is written, from a source-generated context.</param>
    /// <returns>These arguments.</returns>
    public SocketIOArguments Add<T>(T value, JsonTypeInfo<T> type)
    {
        Next();
        using var writer = new Utf8JsonWriter(_json, WriterOptions);
        JsonSerializer.Serialize(writer, value, type);
        return this;
    }

    /// <summary>Adds a value that is JSON already.</summary>
    /// <param name="utf8Json">One JSON value in UTF-8; it is checked.</param>
    /// <returns>These arguments.</returns>
    /// <exception cref="ArgumentException">It is not one JSON value.</exception>
    public SocketIOArguments AddJson(ReadOnlySpan<byte> utf8Json)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8Json);
            while (reader.Read())
            {
            }
        }
        catch (JsonException e)
        {
            throw new ArgumentException("not one JSON value: " + e.Message, nameof(utf8Json));
        }
        Next();
        _json.Write(utf8Json);
        return this;
    }

    /// <summary>Adds bytes, which travel beside the JSON and arrive as they are.</summary>
    /// <param name="bytes">The bytes; they are not copied, so leave them alone until they are sent.</param>
    /// <returns>These arguments.</returns>
    /// <exception cref="InvalidOperationException">There are 128 attachments already.</exception>
    public SocketIOArguments AddBinary(ReadOnlyMemory<byte> bytes)
    {
        _attachments ??= [];
        if (_attachments.Count == CodecLimits.AttachmentsMax)
            throw new InvalidOperationException($"a packet carries at most {CodecLimits.AttachmentsMax} attachments");
        Next();
        _json.Write("{\"_placeholder\":true,\"num\":"u8);
        _json.Advance(_attachments.Count.TryFormat(_json.GetSpan(11), out var written, default, CultureInfo.InvariantCulture) ? written : 0);
        _json.Write("}"u8);
        _attachments.Add(bytes);
        return this;
    }

    private void Next()
    {
        if (_count == CodecLimits.ArgumentsMax - 1)
            throw new InvalidOperationException($"a packet carries at most {CodecLimits.ArgumentsMax - 1} arguments");
        if (_count++ > 0) _json.Write(","u8);
    }
}
