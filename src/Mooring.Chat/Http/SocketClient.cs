using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>
/// A client on a WebSocket. This part reads frames and cuts them into commands; the other does what they say. Both protocols have the
/// same commands: text frames with a verb and its arguments, or JSON objects.
/// </summary>
internal sealed partial class SocketClient(ChatHub hub, Session session, bool isJson, bool isDeflated)
{
    private const int ProtocolError = 1002;
    private const int UnsupportedMessage = 1003;
    private const int NotUtf8 = 1007;
    private const int TooBig = 1009;

    private ArrayBufferWriter<byte>? _fragments;
    private bool _areFragmentsCompressed;

    internal Session Session => session;

    /// <summary>Handles all whole frames; returns the bytes consumed. The bytes are changed: the frames' masks are taken off.</summary>
    internal int OnReceived(Span<byte> bytes)
    {
        var consumed = 0;
        session.Touch();
        while (!session.IsClosing)
        {
            switch (WebSocketFrame.Read(bytes[consumed..], hub.Options.Limits.WebSocketFrameBytes, out var frame, isDeflated))
            {
                case FrameResult.NeedMore:
                    return consumed;
                case FrameResult.Malformed:
                    Fail(ProtocolError, "malformed frame");
                    return bytes.Length;
                case FrameResult.TooLarge:
                    Fail(TooBig, $"a frame may have {hub.Options.Limits.WebSocketFrameBytes} bytes");
                    return bytes.Length;
                default:
                    consumed += frame.Length;
                    OnFrame(frame);
                    break;
            }
        }
        return bytes.Length;
    }

    internal void SayRegistered(Membership member) => Say(json =>
    {
        json.WriteString("type", "register");
        json.WriteString("status", "registered");
        json.WriteString("client_id", session.Id);
        json.WriteString("chat_room", member.Room.Name);
        json.WriteString("epoch", hub.Epoch.ToString("x16", CultureInfo.InvariantCulture));
        json.WriteNumber("last_seq", member.Room.LastSequence);
        json.WriteString("session", session.NewResumeToken());
    });

    /// <summary>What comes next was sent while the client was away.</summary>
    internal void SayReplay(string room, bool isTruncated) => Say(json =>
    {
        json.WriteString("type", "replay");
        json.WriteString("room", room);
        json.WriteBoolean("truncated", isTruncated);
    });

    private void OnFrame(in ClientFrame frame)
    {
        switch (frame.Opcode)
        {
            case WebSocketFrame.Text when _fragments is null:
            case WebSocketFrame.Continuation when _fragments is not null:
                OnPart(frame);
                break;
            case WebSocketFrame.Binary:
                Fail(UnsupportedMessage, "text frames only");
                break;
            case WebSocketFrame.Close:
                session.Enqueue(WebSocketFrame.Encode(WebSocketFrame.Close, frame.Payload.Length >= 2 ? frame.Payload[..2] : []));
                hub.CloseSilently(session);
                break;
            case WebSocketFrame.Ping:
                session.Enqueue(WebSocketFrame.Encode(WebSocketFrame.Pong, frame.Payload));
                break;
            case WebSocketFrame.Pong:
                session.UnansweredPings = 0;
                break;
            default:
                Fail(ProtocolError, "a fragment out of place");
                break;
        }
    }

    private void OnPart(in ClientFrame frame)
    {
        if (frame.IsFinal && _fragments is null)
        {
            OnMessage(frame.Payload, frame.IsCompressed);
            return;
        }
        if (_fragments is null) _areFragmentsCompressed = frame.IsCompressed;
        _fragments ??= new ArrayBufferWriter<byte>();
        if (_fragments.WrittenCount + frame.Payload.Length > hub.Options.Limits.WebSocketFrameBytes)
        {
            Fail(TooBig, "the fragments are too large together");
            return;
        }
        _fragments.Write(frame.Payload);
        if (!frame.IsFinal) return;
        var whole = _fragments;
        _fragments = null;
        OnMessage(whole.WrittenSpan, _areFragmentsCompressed);
    }

    private void OnMessage(ReadOnlySpan<byte> payload, bool isCompressed)
    {
        if (isCompressed) OnCompressed(payload);
        else OnMessage(payload);
    }

    private void OnCompressed(ReadOnlySpan<byte> payload)
    {
        try
        {
            if (PerMessageDeflate.Decompress(payload, hub.Options.Limits.WebSocketFrameBytes) is { } message) OnMessage(message);
            else Fail(TooBig, $"a message may have {hub.Options.Limits.WebSocketFrameBytes} bytes");
        }
        catch (InvalidDataException)
        {
            Fail(NotUtf8, "the message cannot be decompressed");
        }
    }

    private void OnMessage(ReadOnlySpan<byte> payload)
    {
        if (!ChatText.IsValid(payload)) Fail(NotUtf8, "text is UTF-8");
        else if (isJson) OnJson(payload);
        else OnText(payload);
    }

    private void OnText(ReadOnlySpan<byte> payload)
    {
        if (payload.StartsWith("SEND "u8))
        {
            Send(session.Memberships is [var first, ..] ? first : null, "", payload["SEND ".Length..], default);
            return;
        }
        var line = ChatLine.Parse(payload);
        var (argument, text) = (ChatText.Decode(line.Argument), ChatText.Decode(line.Text));
        var command = new SocketCommand
        {
            Verb = line.Verb,
            Room = line.Verb is ChatVerb.Tell or ChatVerb.History or ChatVerb.List or ChatVerb.Topic ? null : argument.Length > 0 ? argument : null,
        };
        Do(line.Verb switch
        {
            ChatVerb.Join or ChatVerb.New => command with { Password = SocketCommand.Place(text, "password=") },
            ChatVerb.Tell => command with { Targets = argument.Split(',', StringSplitOptions.RemoveEmptyEntries), Text = text },
            ChatVerb.List => command with { ListType = argument, Argument = text.Trim() },
            ChatVerb.Topic => command with { Text = ChatText.Decode(ChatLine.Rest(payload)) },
            ChatVerb.History => command with
            {
                Since = SocketCommand.Place(argument, "since="), Last = SocketCommand.Place(argument, "last="),
            },
            _ => command,
        });
    }

    private void OnJson(ReadOnlySpan<byte> payload)
    {
        try
        {
            var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = 8 });
            using var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new JsonException("an object is expected");
            if (reader.BytesConsumed != payload.Length) throw new JsonException("there is more behind the object");
            Do(SocketCommand.Parse(document.RootElement));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            Refuse(ChatError.BadArgument, "the frame is no JSON object of this protocol", default);
        }
    }

    private void Say(Action<Utf8JsonWriter> write) => session.EnqueueReply(JsonFrame.Encode(write));

    private void Refuse(ChatError error, string text, JsonElement reference) => Say(json =>
    {
        json.WriteString("type", "error");
        WriteReference(json, reference);
        json.WriteString("code", error.Code());
        json.WriteString("message", text);
    });

    private static void WriteReference(Utf8JsonWriter json, JsonElement reference)
    {
        if (reference.ValueKind == JsonValueKind.Undefined) return;
        json.WritePropertyName("ref");
        reference.WriteTo(json);
    }

    /// <summary>Closes with a code of RFC 6455 for what the peer did wrong.</summary>
    private void Fail(int code, string why)
    {
        session.Enqueue(WebSocketFrame.EncodeClose(code, why));
        hub.CloseSilently(session);
    }
}
