namespace Mooring.Mqtt.Codec;

/// <summary>Topic filters (MQTT-4.7.1) and shared subscriptions (MQTT-4.8.2). Nothing here recurses per level.</summary>
internal static class TopicFilter
{
    private const byte Separator = (byte)'/';
    private const byte SingleLevel = (byte)'+';
    private const byte MultiLevel = (byte)'#';

    private static ReadOnlySpan<byte> SharePrefix => "$share/"u8;

    internal static bool HasWildcards(ReadOnlySpan<byte> filter) => filter.ContainsAny(SingleLevel, MultiLevel);

    /// <summary>'#' only as the whole last level, '+' only as a whole level (MQTT-4.7.1-1, MQTT-4.7.1-2).</summary>
    internal static bool IsValid(ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty || filter.Length > ushort.MaxValue || filter.Contains((byte)0))
        {
            return false;
        }

        for (var at = filter.IndexOfAny(SingleLevel, MultiLevel); at >= 0;)
        {
            var begins = at == 0 || filter[at - 1] == Separator;
            var isLast = at == filter.Length - 1;
            var ends = isLast || filter[at + 1] == Separator;
            if (!begins || !ends || (filter[at] == MultiLevel && !isLast))
            {
                return false;
            }

            var next = filter[(at + 1)..].IndexOfAny(SingleLevel, MultiLevel);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return true;
    }

    /// <summary>Whether <paramref name="topic"/> (a valid name) matches <paramref name="filter"/> (valid, without a share prefix).</summary>
    internal static bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        // A wildcard in the first level does not see names that begin with '$' (MQTT-4.7.2-1).
        if (topic.Length > 0 && topic[0] == (byte)'$' && filter.Length > 0 && filter[0] is SingleLevel or MultiLevel)
        {
            return false;
        }

        while (true)
        {
            var filterLevel = TakeLevel(ref filter, out var filterGoesOn);
            if (filterLevel is [MultiLevel])
            {
                return true;
            }

            var topicLevel = TakeLevel(ref topic, out var topicGoesOn);
            if (filterLevel is not [SingleLevel] && !filterLevel.SequenceEqual(topicLevel))
            {
                return false;
            }

            if (!topicGoesOn)
            {
                // "a/#" matches the parent "a" too (MQTT-4.7.1-2).
                return !filterGoesOn || filter is [MultiLevel];
            }

            if (!filterGoesOn)
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Whether every topic that <paramref name="filter"/> matches is matched by <paramref name="wider"/> as well; both are valid
    /// and without a share prefix.
    /// </summary>
    internal static bool Covers(ReadOnlySpan<byte> wider, ReadOnlySpan<byte> filter)
    {
        if (filter.Length > 0 && filter[0] == (byte)'$' && wider.Length > 0 && wider[0] is SingleLevel or MultiLevel)
        {
            return false;
        }

        while (true)
        {
            var widerLevel = TakeLevel(ref wider, out var widerGoesOn);
            if (widerLevel is [MultiLevel])
            {
                return true;
            }

            var level = TakeLevel(ref filter, out var filterGoesOn);
            if (level is [MultiLevel] || (widerLevel is not [SingleLevel] && !widerLevel.SequenceEqual(level)))
            {
                return false;
            }

            if (!filterGoesOn)
            {
                return !widerGoesOn || wider is [MultiLevel];
            }

            if (!widerGoesOn)
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Splits <c>$share/name/filter</c>. Returns false for a share that is not valid; a filter without the prefix is returned whole with
    /// an empty share name.
    /// </summary>
    internal static bool TrySplitShare(
        ReadOnlySpan<byte> subscription, out ReadOnlySpan<byte> shareName, out ReadOnlySpan<byte> filter)
    {
        shareName = default;
        filter = subscription;
        if (!subscription.StartsWith(SharePrefix))
        {
            return !subscription.SequenceEqual("$share"u8);
        }

        var rest = subscription[SharePrefix.Length..];
        var end = rest.IndexOf(Separator);
        if (end <= 0 || end == rest.Length - 1 || HasWildcards(rest[..end]))
        {
            return false;
        }

        shareName = rest[..end];
        filter = rest[(end + 1)..];
        return true;
    }

    private static ReadOnlySpan<byte> TakeLevel(ref ReadOnlySpan<byte> path, out bool goesOn)
    {
        var end = path.IndexOf(Separator);
        goesOn = end >= 0;
        var level = goesOn ? path[..end] : path;
        path = goesOn ? path[(end + 1)..] : default;
        return level;
    }
}
