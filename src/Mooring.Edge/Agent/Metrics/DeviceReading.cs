using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>What the engine told last about a running device.</summary>
/// <param name="Device">Its name.</param>
/// <param name="CpuPercent">Percent of one processor since the sample before.</param>
/// <param name="MemoryBytes">Without caches that could be dropped.</param>
/// <param name="ReceivedBytes">From all networks, since its container started.</param>
/// <param name="SentBytes">To all networks, since its container started.</param>
/// <param name="ThrottledSeconds">How long its limit held it back, since its container started.</param>
internal sealed record DeviceReading(string Device, double CpuPercent, double MemoryBytes, double ReceivedBytes, double SentBytes, double ThrottledSeconds)
{
    private const double MiB = 1024.0 * 1024;
    private const double NanosecondsPerSecond = 1e9;

    public static DeviceReading Of(string device, double cpuPercent, double memoryMiB, ContainerStats stats) => new(
        device, cpuPercent, memoryMiB * MiB,
        stats.Networks?.Values.Sum(network => (double)network.RxBytes) ?? 0,
        stats.Networks?.Values.Sum(network => (double)network.TxBytes) ?? 0,
        (stats.CpuStats?.ThrottlingData?.ThrottledTime ?? 0) / NanosecondsPerSecond);
}
