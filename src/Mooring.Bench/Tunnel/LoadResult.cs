using Mooring.Bench.Mqtt;

namespace Mooring.Bench.Tunnel;

/// <summary>What came of a run.</summary>
internal sealed record LoadResult(double PerSecond, long Count, int Failures, LatencyHistogram Latencies);
