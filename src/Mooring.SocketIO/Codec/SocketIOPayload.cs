using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace Mooring.SocketIO.Codec;

/// <summary>The JSON of packets: checked once, in one pass, and cut into arguments that stay where they are.</summary>
internal static class SocketIOPayload
{
    /// <summary>Names that would be mistaken for what the connection itself reports; every implementation refuses them.</summary>
    private static readonly ImmutableArray<string> ReservedNames =
        ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = CodecLimits.JsonDepthMax };

    public static bool IsReserved(string eventName) => ReservedNames.Contains(eventName);

    /// <summary>Cuts the array of an event or an acknowledgement.</summary>
    /// <param name="frame">The packet that the payload is in.</param>
    /// <param name="payload">Where the JSON stands.</param>
    /// <param name="scratch">Positions of the arguments are written here; it grows when there are more.</param>
    /// <returns>How many arguments there are; the first one of an event is its name, with its quotes.</returns>
    public static int Cut(ReadOnlySpan<byte> frame, Slice payload, ref Slice[] scratch)
    {
        var json = new Utf8JsonReader(payload.Of(frame), Strict);
        var count = 0;
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartArray) throw Bad("an event or acknowledgement is not an array");
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                if (count == CodecLimits.ArgumentsMax)
                    throw new SocketIOProtocolException(SocketIOProtocolError.OverLimit, $"more than {CodecLimits.ArgumentsMax} arguments");
                if (count == scratch.Length) Array.Resize(ref scratch, Math.Max(4, count * 2));
                var start = (int)json.TokenStartIndex;
                json.Skip();
                scratch[count++] = new Slice(payload.Start + start, (int)json.BytesConsumed - start);
            }
            // One more read sees whether anything but white space follows the array.
            if (json.TokenType != JsonTokenType.EndArray || json.Read()) throw Bad("JSON with something behind it");
        }
        catch (JsonException)
        {
            throw Bad("not JSON");
        }
        return count;
    }

    /// <summary>The name of an event, without its quotes, when it stands there as it is; false when it must be unescaped.</summary>
    public static bool TryGetPlainName(ReadOnlySpan<byte> frame, Slice argument, out ReadOnlySpan<byte> name)
    {
        var text = argument.Of(frame);
        if (text is not [(byte)'"', .., (byte)'"'])
            throw new SocketIOProtocolException(SocketIOProtocolError.BadEventName, "the name of an event is not a string");
        name = text[1..^1];
        if (name.Length > CodecLimits.EventNameBytesMax)
            throw new SocketIOProtocolException(
                SocketIOProtocolError.BadEventName, $"the name of an event is longer than {CodecLimits.EventNameBytesMax} bytes");
        return !name.Contains((byte)'\\');
    }

    /// <summary>The name of an event as a string, checked.</summary>
    public static string GetName(ReadOnlySpan<byte> frame, Slice argument)
    {
        TryGetPlainName(frame, argument, out _);
        var json = new Utf8JsonReader(argument.Of(frame));
        json.Read();
        string name;
        try
        {
            name = json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new SocketIOProtocolException(SocketIOProtocolError.BadEncoding, "the name of an event is not Unicode text");
        }
        return IsReserved(name)
            ? throw new SocketIOProtocolException(SocketIOProtocolError.BadEventName, $"'{name}' is kept for the connection itself")
            : name;
    }

    /// <summary>Checks that the payload of a connect packet is one object, or nothing.</summary>
    public static void CheckConnect(ReadOnlySpan<byte> payload)
    {
        if (!payload.IsEmpty && TypeOf(payload) != JsonTokenType.StartObject) throw Bad("the payload of a connect packet is not an object");
    }

    /// <summary>Checks that the payload of a refused connect is an object, or a text.</summary>
    public static void CheckConnectError(ReadOnlySpan<byte> payload)
    {
        if (TypeOf(payload) is not (JsonTokenType.StartObject or JsonTokenType.String)) throw Bad("a connect error is neither object nor text");
    }

    private static JsonTokenType TypeOf(ReadOnlySpan<byte> payload)
    {
        if (!Utf8.IsValid(payload)) throw new SocketIOProtocolException(SocketIOProtocolError.BadEncoding, "a payload is not UTF-8");
        try
        {
            var json = new Utf8JsonReader(payload, Strict);
            json.Read();
            var type = json.TokenType;
            json.Skip();
            return json.Read() ? JsonTokenType.None : type;
        }
        catch (JsonException)
        {
            throw Bad("not JSON");
        }
    }

    private static SocketIOProtocolException Bad(string message) => new(SocketIOProtocolError.BadPayload, message);
}
