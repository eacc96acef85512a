using System.Buffers;
using System.Globalization;
using System.Text;

namespace Mooring.Kernel.Metrics;

/// <summary>Writes the lines of the Prometheus text format 0.0.4.</summary>
/// <param name="output">Where to.</param>
internal sealed class PrometheusText(IBufferWriter<byte> output)
{
    public void Write(MetricFamily family, long round)
    {
        // Told before anything was counted too: alarms and dashboards can be checked against the page of a program that has just started.
        Head(family.Name, family.Help, family.Kind);
        foreach (var series in family.Series(round))
        {
            if (family.Kind == MetricKind.Histogram) WriteHistogram(family, series);
            else Sample(family.Name, series.Labels, series.Value);
        }
    }

    public void Head(string name, string help, MetricKind kind)
    {
        if (help.Length > 0) Line($"# HELP {name} {PrometheusNames.EscapeHelp(help)}");
        Line($"# TYPE {name} {TypeOf(kind)}");
    }

    public void Sample(string name, string labels, double value) =>
        Line(labels.Length == 0 ? $"{name} {Number(value)}" : $"{name}{{{labels}}} {Number(value)}");

    private void WriteHistogram(MetricFamily family, MetricSeries series)
    {
        var comma = series.Labels.Length == 0 ? "" : ",";
        var buckets = series.Buckets();
        long count = 0;
        for (var i = 0; i < buckets.Length; i++)
        {
            count += buckets[i];
            var bound = i < family.Bounds.Length ? Number(family.Bounds[i]) : "+Inf";
            Sample(family.Name + "_bucket", $"{series.Labels}{comma}le=\"{bound}\"", count);
        }
        Sample(family.Name + "_sum", series.Labels, series.Value);
        Sample(family.Name + "_count", series.Labels, count);
    }

    private void Line(string line)
    {
        Encoding.UTF8.GetBytes(line, output);
        output.Write("\n"u8);
    }

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Histogram => "histogram",
        _ => "gauge",
    };

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
