namespace Mooring.Chat.Protocol;

/// <summary>Writes a message in one of its forms.</summary>
internal static class MessageWriter
{
    // Longest of the fixed parts: names of JSON members, id, numbers, time, a frame's head.
    private const int FixedBytesMax = 256;

    // A control character becomes \u00XX, and a scalar of four bytes two such escapes.
    private const int JsonGrowth = 6;

    /// <summary>Space that is certainly enough.</summary>
    internal static int MeasureMax(MessageFormat format, in ChatMessage message)
    {
        var names = message.Room.Length + message.Sender.Length;
        return format.Inflated() switch
        {
            MessageFormat.JsonFrame => FixedBytesMax + JsonGrowth * (names + message.Text.Length),
            MessageFormat.TextFrame when message.Kind == MessageKind.Room => FixedBytesMax + message.Text.Length,
            MessageFormat.TextFrame => MeasureMax(MessageFormat.JsonFrame, message),
            _ when message.IsPlain => FixedBytesMax + names + message.Text.Length,
            // Every line break of the text repeats the head.
            _ => (FixedBytesMax + names) * (1 + message.Text.Count((byte)'\n') + message.Text.Count((byte)'\r')) + message.Text.Length,
        };
    }

    /// <summary>Writes; returns the bytes written.</summary>
    internal static int Write(MessageFormat format, in ChatMessage message, Span<byte> destination) => format switch
    {
        // What is not said in the room could not be told from it as bare text.
        MessageFormat.TextFrame when message.Kind == MessageKind.Room => WriteFrame(message.Text, destination),
        MessageFormat.TextFrame or MessageFormat.JsonFrame => WriteJsonFrame(message, destination),
        MessageFormat.DeflatedTextFrame or MessageFormat.DeflatedJsonFrame => WriteDeflated(format.Inflated(), message, destination),
        _ => WriteLines(format, message, destination),
    };

    /// <summary>The JSON object without a frame.</summary>
    internal static int WriteJson(in ChatMessage message, Span<byte> destination)
    {
        var text = new ByteText(destination);
        text.Add(message.Kind switch
        {
            MessageKind.Direct => "{\"type\":\"direct\",\"room\":"u8,
            MessageKind.Notice => "{\"type\":\"notice\",\"room\":"u8,
            _ => "{\"type\":\"message\",\"room\":"u8,
        });
        text.AddJson(message.Room);
        if (message.Kind != MessageKind.Notice)
        {
            text.Add(",\"from\":"u8);
            text.AddJson(message.Sender);
        }
        text.Add(",\"text\":"u8);
        text.AddJson(message.Text);
        if (message.Kind == MessageKind.Room)
        {
            text.Add(",\"seq\":"u8);
            text.Add(message.Sequence);
        }
        if (message.Kind != MessageKind.Notice)
        {
            text.Add(",\"id\":\""u8);
            AddId(ref text, message.Epoch, message.Id);
            text.Add("\",\"time\":\""u8);
            text.AddTime(message.UnixMilliseconds);
            text.Add((byte)'"');
        }
        text.Add((byte)'}');
        return text.Length;
    }

    private static int WriteLines(MessageFormat format, in ChatMessage message, Span<byte> destination)
    {
        var text = new ByteText(destination);
        var end = format is MessageFormat.LineCrLf or MessageFormat.TaggedLineCrLf ? "\r\n"u8 : "\n"u8;
        if (message.IsPlain)
        {
            AddHead(ref text, format, message);
            text.Add(message.Text);
            text.Add(end);
            return text.Length;
        }
        var rest = message.Text;
        bool more;
        do
        {
            more = ChatText.TryNextLine(ref rest, out var line);
            AddHead(ref text, format, message);
            text.AddWithoutControls(line);
            text.Add(end);
        }
        while (more);
        return text.Length;
    }

    private static void AddHead(ref ByteText text, MessageFormat format, in ChatMessage message)
    {
        if (format is MessageFormat.TaggedLine or MessageFormat.TaggedLineCrLf) AddTags(ref text, message);
        text.Add(message.Kind == MessageKind.Direct ? "MSG FROM "u8 : "MSG "u8);
        if (format == MessageFormat.ClassicLine && message.Kind != MessageKind.Direct) return;
        text.Add(message.Room);
        text.Add((byte)':');
        text.Add(message.Sender);
        text.Add((byte)' ');
    }

    private static void AddTags(ref ByteText text, in ChatMessage message)
    {
        text.Add("@id="u8);
        AddId(ref text, message.Epoch, message.Id);
        text.Add(";seq="u8);
        text.Add(message.Sequence);
        text.Add(";time="u8);
        text.AddTime(message.UnixMilliseconds);
        text.Add(message.Kind switch
        {
            MessageKind.Direct => ";dm=1 "u8,
            MessageKind.Notice => ";notice=1 "u8,
            _ => " "u8,
        });
    }

    /// <summary>Epoch and a number that rises with every message of the server: unique as long as epochs are.</summary>
    internal static void AddId(ref ByteText text, ulong epoch, long id)
    {
        text.AddHexadecimal(epoch);
        text.Add((byte)'-');
        text.Add(id);
    }

    private static int WriteFrame(ReadOnlySpan<byte> payload, Span<byte> destination)
    {
        var head = WebSocketFrame.WriteHead(WebSocketFrame.Text, payload.Length, destination);
        payload.CopyTo(destination[head..]);
        return head + payload.Length;
    }

    /// <summary>Never longer than without compression, so what was measured is enough.</summary>
    private static int WriteDeflated(MessageFormat format, in ChatMessage message, Span<byte> destination)
    {
        var length = Write(format, message, destination);
        var payload = destination[WebSocketFrame.PayloadStart(destination)..length];
        if (PerMessageDeflate.Compress(payload) is not { } compressed) return length;
        var head = WebSocketFrame.WriteHead(WebSocketFrame.Text | WebSocketFrame.Compressed, compressed.Length, destination);
        compressed.CopyTo(destination[head..]);
        return head + compressed.Length;
    }

    private static int WriteJsonFrame(in ChatMessage message, Span<byte> destination)
    {
        var length = WriteJson(message, destination[WebSocketFrame.HeadBytesMax..]);
        var payload = destination.Slice(WebSocketFrame.HeadBytesMax, length);
        Span<byte> head = stackalloc byte[WebSocketFrame.HeadBytesMax];
        var headLength = WebSocketFrame.WriteHead(WebSocketFrame.Text, length, head);
        payload.CopyTo(destination[headLength..]);
        head[..headLength].CopyTo(destination);
        return headLength + length;
    }
}
