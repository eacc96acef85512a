using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;

namespace Mooring.Edge.Agent.Hubs;

/// <summary>
/// Samples the load every five seconds, whether there is a hub or not, and tells the hub while there is one. The beat does not wait for
/// the engine: samples of devices are taken beside it.
/// </summary>
internal sealed class Heartbeat(
    AgentOptions options, AgentIdentity identity, HostLoad host, LoadRecorder loads, AgentState state, IHubOutbox outbox, Func<bool> isUp,
    HubTimes times, TimeProvider time)
{
    /// <summary>Time between beats.</summary>
    internal static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private const double MiBPerGiB = 1024;

    private readonly long _began = time.GetTimestamp();

    /// <summary>Beats until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The first measurement of processor time only sets the mark for the next.
        host.CpuPercent();
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false)) Beat(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    private void Beat(CancellationToken cancellationToken)
    {
        var cpu = host.CpuPercent();
        var (memory, memoryTotal) = host.Memory();
        loads.RecordHost(cpu, memory * MiBPerGiB);
        _ = loads.RecordDevicesAsync(state.Devices.Snapshot().Select(device => device.Key), cancellationToken);
        if (!isUp()) return;
        var disks = host.Disks();
        outbox.Emit("heartbeat", new JsonObject
        {
            ["agent_id"] = identity.Id,
            ["agent_version"] = options.Version,
            ["cpu_usage"] = cpu,
            ["memory_usage"] = memory,
            ["memory_total"] = memoryTotal,
            ["disk_usage"] = disks.Used,
            ["disk_total"] = disks.Total,
            ["uptime"] = (long)time.GetElapsedTime(_began).TotalSeconds,
            ["status"] = "active",
            ["timestamp"] = times.Now,
        });
    }
}
