using System.Globalization;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>A stretch of time as hubs write it: <c>1700000000,1700003600</c>, or a length such as <c>24h</c> that ends now.</summary>
/// <param name="From">First Unix second.</param>
/// <param name="To">Last Unix second.</param>
internal readonly record struct Period(long From, long To)
{
    private const long Hour = 3600;

    // What does not fit is as good as for ever, and its end stays a number of seconds.
    private const long LongestLength = 10L * 365 * 24 * Hour;

    /// <summary>Reads a period. What cannot be read is the last hour: that is what earlier agents do.</summary>
    /// <param name="text">The text.</param>
    /// <param name="now">The present in Unix seconds.</param>
    /// <param name="isGood">Whether the text could be read.</param>
    public static Period Parse(string text, long now, out bool isGood)
    {
        isGood = true;
        text = text.Trim();
        if (text.Split(',') is [var from, var to])
        {
            if (TryNumber(from, out var first) && TryNumber(to, out var last)) return new Period((long)first, (long)last);
        }
        else if (text.Length > 0)
        {
            var unit = char.ToLowerInvariant(text[^1]) switch { 'h' => Hour, 'm' => 60L, 'd' => 24 * Hour, _ => 0L };
            if (TryNumber(unit == 0 ? text : text[..^1], out var length) && length >= 0)
                return new Period(now - (long)Math.Min(length * Math.Max(unit, 1), LongestLength), now);
        }
        isGood = false;
        return new Period(now - Hour, now);
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite | NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out number) && Math.Abs(number) < 1e15;
}
