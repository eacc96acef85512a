namespace Mooring.Chat.Protocol;

/// <summary>Finds messages in a row of encoded ones.</summary>
internal static class MessageBoundary
{
    /// <summary>Lines or frames in a row that begins and ends with a whole one.</summary>
    internal static int Count(MessageFormat format, ReadOnlySpan<byte> row)
    {
        if (format is not (MessageFormat.TextFrame or MessageFormat.JsonFrame)) return row.Count((byte)'\n');
        var count = 0;
        for (var at = 0; at < row.Length; at = WebSocketFrame.End(row, at)) count++;
        return count;
    }
}
