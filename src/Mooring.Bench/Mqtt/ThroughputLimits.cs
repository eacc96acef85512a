namespace Mooring.Bench.Mqtt;

/// <summary>Bounds of the generator.</summary>
internal static class ThroughputLimits
{
    /// <summary>Publisher, number and time of sending must fit.</summary>
    internal const int LeastPayloadBytes = 16;

    /// <summary>A packet must fit into what one connection may hold back of a cut packet.</summary>
    internal const int MostPayloadBytes = 32 * 1024;
}
