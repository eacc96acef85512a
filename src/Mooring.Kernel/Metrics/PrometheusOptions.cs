namespace Mooring.Kernel.Metrics;

/// <summary>What <see cref="PrometheusExporter"/> exports, and how much.</summary>
public sealed record PrometheusOptions
{
    /// <summary>
    /// Sets of labels kept for each metric. Default 2000: a label with an unbounded value (a client id) must not eat the memory of
    /// the process nor of who scrapes it. Measurements beyond are dropped and counted in <c>mooring_metrics_overflow_total</c>.
    /// </summary>
    public int SeriesMax { get; init; } = 2000;

    /// <summary>Metrics kept. Default 1000: what one process has is some hundred.</summary>
    public int MetricsMax { get; init; } = 1000;

    /// <summary>Meters to export; a name that ends in <c>*</c> is a prefix.</summary>
    public IReadOnlyList<string> Meters { get; init; } =
        ["Mooring.*", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Hosting"];

    /// <summary>Upper bounds of the buckets of a histogram in seconds that advises none.</summary>
    public IReadOnlyList<double> SecondsBounds { get; init; } =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    /// <summary>Upper bounds of the buckets of any other histogram that advises none.</summary>
    public IReadOnlyList<double> OtherBounds { get; init; } =
        [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000];
}
