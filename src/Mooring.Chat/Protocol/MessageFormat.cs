namespace Mooring.Chat.Protocol;

/// <summary>The forms in which a message is written. Members that take the same form share its bytes.</summary>
internal enum MessageFormat
{
    /// <summary><c>MSG room:sender text</c></summary>
    Line,

    /// <summary><c>@id=…;seq=…;time=… MSG room:sender text</c></summary>
    TaggedLine,

    /// <summary>As <see cref="Line"/>, ended with CR LF.</summary>
    LineCrLf,

    /// <summary>As <see cref="TaggedLine"/>, ended with CR LF.</summary>
    TaggedLineCrLf,

    /// <summary><c>MSG text</c></summary>
    ClassicLine,

    /// <summary>A WebSocket text frame that holds the bare text.</summary>
    TextFrame,

    /// <summary>A WebSocket text frame that holds a JSON object.</summary>
    JsonFrame,

    /// <summary>As <see cref="TextFrame"/>, compressed where that makes it smaller.</summary>
    DeflatedTextFrame,

    /// <summary>As <see cref="JsonFrame"/>, compressed where that makes it smaller.</summary>
    DeflatedJsonFrame,
}

internal static class MessageFormats
{
    /// <summary>Whether messages are WebSocket frames, and not lines.</summary>
    internal static bool IsFramed(this MessageFormat format) => format >= MessageFormat.TextFrame;

    /// <summary>The same without compression.</summary>
    internal static MessageFormat Inflated(this MessageFormat format) => format switch
    {
        MessageFormat.DeflatedTextFrame => MessageFormat.TextFrame,
        MessageFormat.DeflatedJsonFrame => MessageFormat.JsonFrame,
        _ => format,
    };
}

/// <summary>What kind of message.</summary>
internal enum MessageKind
{
    Room,
    Direct,
    Notice,
}

/// <summary>A message before it is written; it lends its bytes.</summary>
internal readonly ref struct ChatMessage
{
    internal required MessageKind Kind { get; init; }

    internal required ReadOnlySpan<byte> Room { get; init; }

    internal required ReadOnlySpan<byte> Sender { get; init; }

    internal required ReadOnlySpan<byte> Text { get; init; }

    /// <summary>Whether the text is printable ASCII only.</summary>
    internal bool IsPlain { get; init; }

    internal long Sequence { get; init; }

    internal long Id { get; init; }

    internal ulong Epoch { get; init; }

    internal long UnixMilliseconds { get; init; }

}
