using System.Globalization;
using System.Text.Json;

namespace Mooring.Kernel.Options;

public sealed partial class JsonReading
{
    /// <summary>The text here.</summary>
    /// <param name="fallback">Taken when there is none, or when it is wrong.</param>
    /// <returns>The text.</returns>
    public string Text(string fallback = "") => OptionalText() ?? fallback;

    /// <summary>The text here, or null.</summary>
    /// <returns>The text; null when there is none, or when it is wrong.</returns>
    public string? OptionalText()
    {
        if (!Exists) return null;
        if (Kind == JsonValueKind.String) return _element!.Value.GetString();
        if (_leniency.HasFlag(JsonLeniency.ScalarTexts) && Kind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            return _element!.Value.GetRawText();
        AddWrong("use a text in quotes");
        return null;
    }

    /// <summary>The text here, which must be there and not be empty.</summary>
    /// <returns>The text; empty, and an error, when it is missing.</returns>
    public string RequiredText()
    {
        if (!Required("must be given, a text").Exists) return "";
        var text = OptionalText();
        if (text is { Length: 0 }) AddWrong("must not be empty");
        return text ?? "";
    }

    /// <summary>The one of several texts that stands here.</summary>
    /// <param name="fallback">Taken when there is none, or when it is wrong.</param>
    /// <param name="allowed">What is allowed; case does not matter.</param>
    /// <returns>The text as it stands in <paramref name="allowed"/>.</returns>
    public string OneOf(string fallback, params ReadOnlySpan<string> allowed)
    {
        if (OptionalText() is not { } text) return fallback;
        foreach (var candidate in allowed)
            if (string.Equals(candidate, text, StringComparison.OrdinalIgnoreCase)) return candidate;
        AddWrong("use one of " + string.Join(", ", allowed.ToArray()));
        return fallback;
    }

    /// <summary>The whole number here.</summary>
    /// <param name="fallback">Taken when there is none, or when it is wrong.</param>
    /// <param name="min">The smallest that is allowed.</param>
    /// <param name="max">The largest that is allowed.</param>
    /// <returns>The number.</returns>
    public int Int(int fallback, int min = int.MinValue, int max = int.MaxValue) => (int)Long(fallback, min, max);

    /// <summary>The whole number here.</summary>
    /// <param name="fallback">Taken when there is none, or when it is wrong.</param>
    /// <param name="min">The smallest that is allowed.</param>
    /// <param name="max">The largest that is allowed.</param>
    /// <returns>The number.</returns>
    public long Long(long fallback, long min = long.MinValue, long max = long.MaxValue)
    {
        if (!Exists) return fallback;
        if (TryLong(out var value) && value >= min && value <= max) return value;
        AddWrong(string.Create(CultureInfo.InvariantCulture, $"use a whole number from {min} to {max}"));
        return fallback;
    }

    /// <summary>The number here.</summary>
    /// <param name="fallback">Taken when there is none, or when it is wrong.</param>
    /// <param name="min">The smallest that is allowed.</param>
    /// <param name="max">The largest that is allowed.</param>
    /// <returns>The number.</returns>
    public double Double(double fallback, double min = double.MinValue, double max = double.MaxValue)
    {
        if (!Exists) return fallback;
        if (TryDouble(out var value) && value >= min && value <= max) return value;
        AddWrong(string.Create(CultureInfo.InvariantCulture, $"use a number from {min} to {max}"));
        return fallback;
    }

    /// <summary>The number of seconds here, as a time.</summary>
    /// <param name="fallback">Taken when there is none, or when it is wrong.</param>
    /// <param name="min">The shortest that is allowed.</param>
    /// <param name="max">The longest that is allowed.</param>
    /// <returns>The time.</returns>
    public TimeSpan Seconds(TimeSpan fallback, TimeSpan min, TimeSpan max)
    {
        if (!Exists) return fallback;
        if (TryDouble(out var value) && value >= min.TotalSeconds && value <= max.TotalSeconds) return TimeSpan.FromSeconds(value);
        AddWrong(string.Create(CultureInfo.InvariantCulture, $"use seconds, from {min.TotalSeconds} to {max.TotalSeconds}"));
        return fallback;
    }

    /// <summary>The truth value here.</summary>
    /// <param name="fallback">Taken when there is none, or when it is wrong.</param>
    /// <returns>The truth value.</returns>
    public bool Bool(bool fallback)
    {
        if (!Exists) return fallback;
        if (TryBool(out var value)) return value;
        AddWrong(_leniency.HasFlag(JsonLeniency.LooseBooleans) ? "use true, false, yes, no, 1 or 0" : "use true or false");
        return fallback;
    }

    private bool TryLong(out long value)
    {
        value = 0;
        if (Kind == JsonValueKind.Number && _element!.Value.TryGetInt64(out value)) return true;
        if (Kind == JsonValueKind.String && _leniency.HasFlag(JsonLeniency.NumericStrings)
            && long.TryParse(_element!.Value.GetString(), NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite
                | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out value)) return true;
        if (!_leniency.HasFlag(JsonLeniency.WholeFractions) || !TryDouble(out var number)) return false;
        // 2^63 itself does not fit; beyond 2^53 a fraction could not be told from a whole number anyway.
        if (number != Math.Floor(number) || Math.Abs(number) > 1L << 53) return false;
        value = (long)number;
        return true;
    }

    private bool TryDouble(out double value)
    {
        value = 0;
        if (Kind == JsonValueKind.Number) return _element!.Value.TryGetDouble(out value) && double.IsFinite(value);
        return Kind == JsonValueKind.String && _leniency.HasFlag(JsonLeniency.NumericStrings)
            && double.TryParse(_element!.Value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            && double.IsFinite(value);
    }

    private bool TryBool(out bool value)
    {
        value = Kind == JsonValueKind.True;
        if (Kind is JsonValueKind.True or JsonValueKind.False) return true;
        if (!_leniency.HasFlag(JsonLeniency.LooseBooleans)) return false;
        var text = Kind switch
        {
            JsonValueKind.String => _element!.Value.GetString()!.Trim().ToUpperInvariant(),
            JsonValueKind.Number => _element!.Value.GetRawText(),
            _ => "",
        };
        value = text is "TRUE" or "YES" or "ON" or "1" or "1.0";
        return value || text is "FALSE" or "NO" or "OFF" or "0" or "0.0";
    }
}
