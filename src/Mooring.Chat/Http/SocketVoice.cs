using System.Text.Json;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Http;

/// <summary>Words for WebSocket clients: JSON objects in text frames.</summary>
internal sealed class SocketVoice : Voice
{
    internal static readonly SocketVoice Instance = new();

    internal override byte[] Farewell(string reason, int closeCode, string text) =>
    [
        .. JsonFrame.Encode(json =>
        {
            json.WriteString("type", "close");
            json.WriteString("status", "closed");
            json.WriteString("reason", reason);
        }),
        .. WebSocketFrame.EncodeClose(closeCode, reason),
    ];

    internal override byte[] Event(ChatEvent happened, string room, string client, string text, long unixMilliseconds) => JsonFrame.Encode(json =>
    {
        json.WriteString("type", "event");
        json.WriteString("event", Name(happened));
        json.WriteString("room", room);
        json.WriteString("client_id", client);
        if (text.Length > 0) json.WriteString("text", text);
        json.WriteString("time", DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds));
    });

    internal override byte[] Ping(string token) => WebSocketFrame.Encode(WebSocketFrame.Ping, []);

    internal override long PingAfterMilliseconds => 25_000;

    internal override long PongWithinMilliseconds => 10_000;

    internal override int UnansweredPingsMax => 1;
}

/// <summary>JSON objects in frames.</summary>
internal static class JsonFrame
{
    internal static byte[] Encode(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return WebSocketFrame.Encode(WebSocketFrame.Text, buffer.WrittenSpan);
    }
}
