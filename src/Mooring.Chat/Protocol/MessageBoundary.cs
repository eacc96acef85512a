namespace Mooring.Chat.Protocol;

/// <summary>Finds messages in a row of encoded ones.</summary>
internal static class MessageBoundary
{
    /// <summary>Lines or frames in a row that begins and ends with a whole one.</summary>
    internal static int Count(MessageFormat format, ReadOnlySpan<byte> row)
    {
        if (!format.IsFramed()) return row.Count((byte)'\n');
        var count = 0;
        for (var at = 0; at < row.Length; at = WebSocketFrame.End(row, at)) count++;
        return count;
    }

    /// <summary>Bytes of the first <paramref name="messages"/> of such a row.</summary>
    internal static int Measure(MessageFormat format, ReadOnlySpan<byte> row, long messages)
    {
        var at = 0;
        for (; messages > 0 && at < row.Length; messages--) at = format.IsFramed() ? WebSocketFrame.End(row, at) : at + row[at..].IndexOf((byte)'\n') + 1;
        return at;
    }
}
