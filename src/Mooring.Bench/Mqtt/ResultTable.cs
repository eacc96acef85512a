using System.Globalization;

namespace Mooring.Bench.Mqtt;

/// <summary>Prints medians and ranges, one line per scenario and peer, and how the first peer compares with the others.</summary>
internal static class ResultTable
{
    private const string Columns = "{0,-20} {1,-10} {2,-26} {3,-10} {4,9} {5,9} {6,9} {7,8} {8,7} {9}";

    internal static string Heading => string.Format(
        CultureInfo.InvariantCulture, Columns, "scenario", "peer", "rate/s [min-max]", "CPU s/M", "p50 us", "p99 us", "p99.9 us",
        "RSS MB", "KB/conn", "threads, checks").TrimEnd();

    internal static string Line(MqttScenario scenario, string peer, IReadOnlyList<RunResult> runs) => string.Format(
        CultureInfo.InvariantCulture,
        Columns,
        scenario.Name,
        peer,
        $"{Short(Median(runs, r => r.Rate))} [{Short(runs.Min(r => r.Rate))}-{Short(runs.Max(r => r.Rate))}]",
        Number(scenario.Kind == MqttScenarioKind.Idle ? double.NaN : Median(runs, r => r.CpuPerMillion), "0.00"),
        Number(Median(runs, r => r.P50Microseconds), "0"),
        Number(Median(runs, r => r.P99Microseconds), "0"),
        Number(Median(runs, r => r.P999Microseconds), "0"),
        Number(Median(runs, r => r.ResidentMegabytes), "0"),
        Number(Median(runs, r => r.KilobytesPerConnection), "0.0"),
        Remarks(scenario, runs));

    /// <summary>"first / other": rate ratio and CPU ratio.</summary>
    internal static string Ratio(
        MqttScenario scenario, string first, IReadOnlyList<RunResult> own, string other, IReadOnlyList<RunResult> theirs)
    {
        var rate = Quotient(own, theirs, r => r.Rate);
        var cpu = Quotient(own, theirs, r => r.CpuPerMillion);
        var third = scenario.Kind == MqttScenarioKind.Idle
            ? FormattableString.Invariant($"memory x{Quotient(own, theirs, r => r.KilobytesPerConnection):0.00}")
            : FormattableString.Invariant($"p50 x{Quotient(own, theirs, r => r.P50Microseconds):0.00}");
        return FormattableString.Invariant($"{"",20} {first} / {other}: rate x{rate:0.00}, CPU x{cpu:0.00}, {third}");
    }

    internal static double Median(IReadOnlyList<RunResult> runs, Func<RunResult, double> value)
    {
        var sorted = runs.Select(value).Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static double Quotient(IReadOnlyList<RunResult> own, IReadOnlyList<RunResult> theirs, Func<RunResult, double> value) =>
        Median(own, value) / Median(theirs, value);

    private static string Remarks(MqttScenario scenario, IReadOnlyList<RunResult> runs)
    {
        var threads = $"{runs.Max(r => r.Threads)} threads";
        if (scenario.Kind == MqttScenarioKind.Idle)
            return string.Create(CultureInfo.InvariantCulture, $"{threads}, idle CPU {Median(runs, r => r.CpuPerMillion) / 1e4:0.0} %");
        return runs.All(r => r.IsClean)
            ? $"{threads}, ok"
            : $"{threads}, LOST {runs.Sum(r => r.Lost)}, REORDERED {runs.Sum(r => r.Reordered)}";
    }

    private static string Number(double value, string format) =>
        double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    private static string Short(double value) => value switch
    {
        >= 1e6 => (value / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (value / 1e3).ToString("0", CultureInfo.InvariantCulture) + "k",
        >= 1e3 => (value / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + "k",
        _ => value.ToString("0", CultureInfo.InvariantCulture),
    };
}
