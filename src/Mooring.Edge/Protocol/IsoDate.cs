using System.Globalization;
using System.Text.RegularExpressions;

namespace Mooring.Edge.Protocol;

/// <summary>
/// Dates as the clients of earlier agents write them: ISO 8601 dates with or without dashes, by day of the month or by week, with or without
/// a time, with or without a zone. The character between date and time is free.
/// </summary>
internal static partial class IsoDate
{
    /// <summary>Whether a text is such a date.</summary>
    public static bool IsValid(string text)
    {
        var match = Pattern().Match(text);
        if (!match.Success || !IsDate(match)) return false;
        return InRange(match, "hour", 23) && InRange(match, "minute", 59) && InRange(match, "second", 59)
            && InRange(match, "zoneHour", 23) && InRange(match, "zoneMinute", 59) && InRange(match, "zoneSecond", 59);
    }

    private static bool IsDate(Match match)
    {
        var year = Value(match, "year");
        if (year is < 1 or > 9999) return false;
        if (!match.Groups["week"].Success)
            return Value(match, "month") is >= 1 and <= 12 and var month && Value(match, "day") is >= 1 and var day
                && day <= CultureInfo.InvariantCulture.Calendar.GetDaysInMonth(year, month);
        return Value(match, "week") is >= 1 and var week && week <= ISOWeek.GetWeeksInYear(year)
            && (!match.Groups["weekday"].Success || Value(match, "weekday") is >= 1 and <= 7);
    }

    private static bool InRange(Match match, string group, int largest) => !match.Groups[group].Success || Value(match, group) <= largest;

    private static int Value(Match match, string group) =>
        int.Parse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex("""
        \A(?<year>[0-9]{4})
        (?: -(?<month>[0-9][0-9])-(?<day>[0-9][0-9]) | (?<month>[0-9][0-9])(?<day>[0-9][0-9]) | -W(?<week>[0-9][0-9])(?:-(?<weekday>[0-9]))? | W(?<week>[0-9][0-9])(?<weekday>[0-9])? )
        (?: [\s\S]
            (?<hour>[0-9][0-9])
            (?: :(?<minute>[0-9][0-9])(?::(?<second>[0-9][0-9])(?:[.,][0-9]+)?)? | (?<minute>[0-9][0-9])(?:(?<second>[0-9][0-9])(?:[.,][0-9]+)?)? )?
            (?: Z | [+-](?<zoneHour>[0-9][0-9])(?::?(?<zoneMinute>[0-9][0-9])(?::?(?<zoneSecond>[0-9][0-9])(?:\.[0-9]+)?)?)? )?
        )?\z
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
