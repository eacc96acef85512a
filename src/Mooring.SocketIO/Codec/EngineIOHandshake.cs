using System.Buffers;
using System.Text.Json;

namespace Mooring.SocketIO.Codec;

/// <summary>Body of the open packet: what the server decided for this session.</summary>
/// <param name="SessionId">Names the session in the query of every later request.</param>
/// <param name="OffersWebSocket">Whether the session may be taken over by a WebSocket.</param>
/// <param name="PingInterval">Time between two pings of the server.</param>
/// <param name="PingTimeout">How long the server waits for the pong, and the client beyond the interval for a ping.</param>
/// <param name="MaxPayload">The largest polling body or WebSocket frame that the server takes.</param>
internal sealed record EngineIOHandshake(
    string SessionId, bool OffersWebSocket, TimeSpan PingInterval, TimeSpan PingTimeout, int MaxPayload)
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromDays(1);

    public const int SessionIdLengthMax = 128;

    public void Write(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("sid"u8, SessionId);
        json.WriteStartArray("upgrades"u8);
        if (OffersWebSocket) json.WriteStringValue("websocket"u8);
        json.WriteEndArray();
        json.WriteNumber("pingInterval"u8, (long)PingInterval.TotalMilliseconds);
        json.WriteNumber("pingTimeout"u8, (long)PingTimeout.TotalMilliseconds);
        json.WriteNumber("maxPayload"u8, MaxPayload);
        json.WriteEndObject();
    }

    /// <summary>Unknown members are skipped; servers before 4.1 of the protocol's implementation send no maxPayload.</summary>
    public static EngineIOHandshake Read(ReadOnlySpan<byte> body)
    {
        string? sid = null;
        var offersWebSocket = false;
        double pingInterval = -1, pingTimeout = -1, maxPayload = int.MaxValue;
        try
        {
            var json = new Utf8JsonReader(body);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw Bad();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("sid"u8)) sid = Text(ref json);
                else if (json.ValueTextEquals("upgrades"u8)) offersWebSocket = ContainsWebSocket(ref json);
                else if (json.ValueTextEquals("pingInterval"u8)) pingInterval = Number(ref json);
                else if (json.ValueTextEquals("pingTimeout"u8)) pingTimeout = Number(ref json);
                else if (json.ValueTextEquals("maxPayload"u8)) maxPayload = Number(ref json);
                else json.Skip();
            }
            if (json.Read()) throw Bad();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Bad();
        }
        if (sid is not { Length: > 0 and <= SessionIdLengthMax } || maxPayload < 1) throw Bad();
        return new EngineIOHandshake(sid, offersWebSocket, Wait(pingInterval), Wait(pingTimeout), (int)Math.Min(maxPayload, int.MaxValue));
    }

    private static TimeSpan Wait(double milliseconds) =>
        milliseconds > 0 && milliseconds <= WaitMax.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : throw Bad();

    private static string? Text(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.String ? json.GetString() : throw Bad();
    }

    private static double Number(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Number ? json.GetDouble() : throw Bad();
    }

    private static bool ContainsWebSocket(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartArray) throw Bad();
        var found = false;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            found |= json.TokenType == JsonTokenType.String && json.ValueTextEquals("websocket"u8);
        return found;
    }

    private static SocketIOProtocolException Bad() =>
        new(SocketIOProtocolError.BadPayload, "the open packet is not an object with sid, pingInterval and pingTimeout");
}
