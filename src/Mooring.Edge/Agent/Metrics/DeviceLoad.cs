using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>The load of a container between two samples of the engine.</summary>
internal sealed class DeviceLoad
{
    private const double MiB = 1024.0 * 1024;
    private ulong _lastUsage;
    private ulong _lastSystem;

    /// <summary>Takes a sample.</summary>
    /// <param name="stats">What the engine told.</param>
    /// <returns>Percent of one processor since the sample before (0 at the first), and MiB without caches that could be dropped.</returns>
    public (double Cpu, double Memory) Next(ContainerStats stats)
    {
        var usage = stats.CpuStats?.CpuUsage?.TotalUsage ?? 0;
        var system = stats.CpuStats?.SystemCpuUsage ?? 0;
        var isFirst = _lastSystem == 0 || usage < _lastUsage || system <= _lastSystem;
        var cpu = isFirst ? 0 : (usage - _lastUsage) / (double)(system - _lastSystem) * Processors(stats) * 100;
        (_lastUsage, _lastSystem) = (usage, system);
        return (cpu, Memory(stats));
    }

    private static int Processors(ContainerStats stats) =>
        stats.CpuStats?.OnlineCpus is { } online and > 0 ? online : Math.Max(stats.CpuStats?.CpuUsage?.PercpuUsage?.Count ?? 1, 1);

    private static double Memory(ContainerStats stats)
    {
        var used = stats.MemoryStats?.Usage ?? 0;
        var details = stats.MemoryStats?.Stats;
        // Version 2 of control groups calls it inactive_file, version 1 total_inactive_file.
        ulong cache = 0;
        if (details is not null && !details.TryGetValue("inactive_file", out cache)) details.TryGetValue("total_inactive_file", out cache);
        return (used - Math.Min(cache, used)) / MiB;
    }
}
