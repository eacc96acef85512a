namespace Mooring.Kernel.Metrics;

/// <summary>What an instrument counts.</summary>
internal enum MetricKind
{
    Counter,
    UpDownCounter,
    Gauge,
    Histogram,
}
