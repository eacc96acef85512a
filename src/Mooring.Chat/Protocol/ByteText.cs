using System.Buffers.Text;
using System.Globalization;
using System.Text.Encodings.Web;

namespace Mooring.Chat.Protocol;

/// <summary>Appends text to a span; the caller has made it large enough.</summary>
internal ref struct ByteText(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    internal int Length { get; private set; }

    internal void Add(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_destination[Length..]);
        Length += bytes.Length;
    }

    internal void Add(byte b) => _destination[Length++] = b;

    internal void Add(long number)
    {
        Utf8Formatter.TryFormat(number, _destination[Length..], out var written);
        Length += written;
    }

    /// <summary>Sixteen hexadecimal digits.</summary>
    internal void AddHexadecimal(ulong number)
    {
        number.TryFormat(_destination[Length..], out var written, "x16", CultureInfo.InvariantCulture);
        Length += written;
    }

    /// <summary>RFC 3339 in UTC with milliseconds.</summary>
    internal void AddTime(long unixMilliseconds)
    {
        var days = Math.DivRem(unixMilliseconds, 86_400_000, out var rest);
        CivilDate(days, out var year, out var month, out var day);
        AddPadded(year, 4);
        Add((byte)'-');
        AddPadded(month, 2);
        Add((byte)'-');
        AddPadded(day, 2);
        Add((byte)'T');
        AddPadded(rest / 3_600_000, 2);
        Add((byte)':');
        AddPadded(rest / 60_000 % 60, 2);
        Add((byte)':');
        AddPadded(rest / 1000 % 60, 2);
        Add((byte)'.');
        AddPadded(rest % 1000, 3);
        Add((byte)'Z');
    }

    /// <summary>Between quotation marks, escaped as JSON wants it and harmless inside HTML.</summary>
    internal void AddJson(scoped ReadOnlySpan<byte> text)
    {
        Add((byte)'"');
        JavaScriptEncoder.Default.EncodeUtf8(text, _destination[Length..], out _, out var written);
        Length += written;
        Add((byte)'"');
    }

    internal void AddWithoutControls(scoped ReadOnlySpan<byte> text) => Length += ChatText.CopyWithoutControls(text, _destination[Length..]);

    private void AddPadded(long number, int digits)
    {
        for (var i = digits - 1; i >= 0; i--, number /= 10) _destination[Length + i] = (byte)('0' + number % 10);
        Length += digits;
    }

    // Days since 1970 to the Gregorian calendar, counted from 1 March 0000, so that the leap day comes last in a year.
    private static void CivilDate(long days, out long year, out long month, out long day)
    {
        days += 719_468;
        var era = days / 146_097;
        var dayOfEra = days - era * 146_097;
        var yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        var dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        var shifted = (5 * dayOfYear + 2) / 153;
        day = dayOfYear - (153 * shifted + 2) / 5 + 1;
        month = shifted < 10 ? shifted + 3 : shifted - 9;
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
    }
}
