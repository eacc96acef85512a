namespace Mooring.Bench.Mqtt;

/// <summary>Figures of one run of one scenario against one peer; NaN where a scenario has none.</summary>
internal sealed record RunResult
{
    /// <summary>Deliveries, round trips or connects per second.</summary>
    internal double Rate { get; init; }

    /// <summary>CPU seconds of the server per million of them; while idle: per second.</summary>
    internal double CpuPerMillion { get; init; } = double.NaN;

    internal double P50Microseconds { get; init; } = double.NaN;

    internal double P99Microseconds { get; init; } = double.NaN;

    internal double P999Microseconds { get; init; } = double.NaN;

    internal double ResidentMegabytes { get; init; } = double.NaN;

    internal double KilobytesPerConnection { get; init; } = double.NaN;

    internal int Threads { get; init; }

    internal long Lost { get; init; }

    internal long Reordered { get; init; }

    internal bool IsClean => Lost == 0 && Reordered == 0;
}
