using System.Diagnostics.Metrics;
using System.Text;

namespace Mooring.Kernel.Metrics;

/// <summary>Names and texts of the Prometheus text format 0.0.4.</summary>
internal static class PrometheusNames
{
    /// <summary><c>mooring.mqtt.messages</c> in <c>{message}</c>, a counter, becomes <c>mooring_mqtt_messages_total</c>.</summary>
    public static string Of(string name, string? unit, MetricKind kind)
    {
        var clean = Clean(name, allowColon: true);
        var suffix = UnitSuffix(unit, kind);
        if (suffix.Length > 0 && !clean.EndsWith("_" + suffix, StringComparison.Ordinal)) clean += "_" + suffix;
        if (kind == MetricKind.Counter && !clean.EndsWith("_total", StringComparison.Ordinal)) clean += "_total";
        return clean;
    }

    public static string Label(string name) => Clean(name, allowColon: false);

    /// <summary>Backslash, quote and line feed are escaped in a label's value.</summary>
    public static string EscapeLabel(string value) =>
        value.AsSpan().IndexOfAny('\\', '"', '\n') < 0
            ? value
            : value.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);

    public static string EscapeHelp(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\r", "", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);

    public static MetricKind? KindOf(Instrument instrument)
    {
        var type = instrument.GetType();
        if (!type.IsGenericType) return null;
        var open = type.GetGenericTypeDefinition();
        if (open == typeof(Counter<>) || open == typeof(ObservableCounter<>)) return MetricKind.Counter;
        if (open == typeof(UpDownCounter<>) || open == typeof(ObservableUpDownCounter<>)) return MetricKind.UpDownCounter;
        if (open == typeof(Gauge<>) || open == typeof(ObservableGauge<>)) return MetricKind.Gauge;
        return open == typeof(Histogram<>) ? MetricKind.Histogram : null;
    }

    private static string UnitSuffix(string? unit, MetricKind kind) => unit switch
    {
        null or "" => "",
        // UCUM annotations such as {message} are for people.
        _ when unit.StartsWith('{') => "",
        "1" => kind == MetricKind.Gauge ? "ratio" : "",
        "%" => "percent",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        _ => Clean(unit, allowColon: false),
    };

    private static string Clean(string name, bool allowColon)
    {
        var text = new StringBuilder(name.Length + 1);
        foreach (var c in name)
            text.Append(char.IsAsciiLetterOrDigit(c) || c == '_' || (allowColon && c == ':') ? c : '_');
        if (text.Length == 0 || char.IsAsciiDigit(text[0])) text.Insert(0, '_');
        return text.ToString();
    }
}
