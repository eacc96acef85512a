using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Agent.Devices;

/// <summary>What is to be changed about a device; null is left as it is.</summary>
internal sealed record DeviceChange(string Device)
{
    public string? Version { get; init; }
    public IReadOnlyList<VnicRecord>? Vnics { get; init; }
    public IReadOnlyList<SerialPortRecord>? SerialPorts { get; init; }
    public double? Cpus { get; init; }
    public double? MemoryMiB { get; init; }

    /// <summary>Whether nothing is to be changed.</summary>
    public bool IsEmpty => this == new DeviceChange(Device);
}

/// <summary>
/// Changes a device that exists: limits, interfaces and serial ports while it runs, the version of its runtime by a new container on the same
/// data, with the old one put back when the new one does not stay up.
/// </summary>
internal sealed partial class DeviceUpdate(
    AgentOptions options, EngineClient engine, DevicePlanning planning, ImagePull pull, ContainerReplacement replacement, VnicAttachment vnics,
    AgentState state, OperationTable operations, DeviceUpkeep upkeep, DeviceNotes notes, TimeProvider time, ILogger<DeviceUpdate> logger)
{
    /// <summary>A runtime that ends within this time of its start is not good.</summary>
    private static readonly TimeSpan ProvingTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Does it; the operation has begun already and is ended here, well or not.</summary>
    public async Task RunAsync(DeviceChange change, CancellationToken cancellationToken)
    {
        try
        {
            await ChangeAsync(change, cancellationToken).ConfigureAwait(false);
            operations.Clear(change.Device);
        }
        catch (Exception e)
        {
            operations.Fail(change.Device, e is OperationCanceledException ? "the agent was stopped" : e.Message);
            LogFailed(logger, change.Device, e.Message, DeviceException.TraceOf(e));
        }
        planning.Release(change.Device);
        upkeep.Reattach(change.Device);
    }

    private async Task ChangeAsync(DeviceChange change, CancellationToken cancellationToken)
    {
        var device = change.Device;
        operations.Step(device, "validating_config");
        var container = await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false)
            ?? throw new DeviceException($"{device} has no container");
        var planned = await PlanAsync(change, container, cancellationToken).ConfigureAwait(false);
        if (change.Version is { } version) await ReplaceAsync(device, version, container, cancellationToken).ConfigureAwait(false);
        if (change.Cpus is not null || change.MemoryMiB is not null)
        {
            operations.Step(device, "changing_limits");
            await engine.SetLimitsAsync(device, change.Cpus, change.MemoryMiB, cancellationToken).ConfigureAwait(false);
        }
        if (change.Vnics is not null) await ChangeVnicsAsync(device, planned.Vnics, cancellationToken).ConfigureAwait(false);
        if (change.SerialPorts is { } ports) state.SerialPorts.Set(device, new SerialRecord { Ports = ports });
    }

    private async Task<DeviceSpecification> PlanAsync(DeviceChange change, ContainerDetails container, CancellationToken cancellationToken)
    {
        var known = (state.Vnics.Find(change.Device) ?? []).ToDictionary(vnic => vnic.Name, StringComparer.Ordinal);
        if (options.Lan == LanMode.Engine && known.Count > 0 && (change.Vnics is not null || change.Version is not null))
            throw new DeviceException("interfaces and version of a device cannot be changed where the engine makes its networks (--lan engine)");
        if (change.Version is not null && !container.Mounts.HasVolume(DeviceContainer.VolumeOf(change.Device)))
            throw new DeviceException($"{change.Device} has no volume: users and program of its runtime would be lost with its container");
        var (planned, _) = await planning.PlanAsync(new DeviceSpecification
        {
            Name = change.Device,
            Version = change.Version ?? "latest",
            // An interface that stays keeps the hardware address that it has.
            Vnics = [.. (change.Vnics ?? [.. known.Values]).Select(vnic => vnic with { MacAddress = known.GetValueOrDefault(vnic.Name)?.MacAddress })],
            SerialPorts = change.SerialPorts,
            Cpus = change.Cpus,
            MemoryMiB = change.MemoryMiB,
        }, cancellationToken).ConfigureAwait(false);
        return planned;
    }

    private async Task ReplaceAsync(string device, string version, ContainerDetails container, CancellationToken cancellationToken)
    {
        operations.Step(device, "pulling_image");
        if (await pull.EnsureAsync(device, options.RuntimeImage, version, options.Pull, cancellationToken).ConfigureAwait(false) is { } odd) notes.Warn(device, odd);
        operations.Step(device, "replacing_container");
        var reason = await replacement.RunAsync(device, $"{options.RuntimeImage}:{version}", stop => ProveAsync(device, stop), cancellationToken).ConfigureAwait(false);
        if (state.Devices.Find(device)?.IsStopped == true && !container.State.Running)
            await engine.StopContainerAsync(device, DeviceDeletion.StopGrace, cancellationToken).ConfigureAwait(false);
        if (reason is not null) throw new DeviceException($"version {version} is not good, the version before is back: {reason}");
    }

    private async Task<string?> ProveAsync(string device, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < ProvingTime)
        {
            await Task.Delay(LookPause, time, cancellationToken).ConfigureAwait(false);
            var state = (await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false))?.State;
            if (state is not { Running: true }) return $"its runtime ended with exit code {state?.ExitCode}";
        }
        return null;
    }

    private async Task ChangeVnicsAsync(string device, IReadOnlyList<VnicRecord> wanted, CancellationToken cancellationToken)
    {
        operations.Step(device, "changing_vnics");
        var pid = (await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false))?.State.Pid ?? 0;
        await vnics.DetachAsync(device, pid, cancellationToken, vnic => !wanted.Any(other => IsSame(vnic, other))).ConfigureAwait(false);
        var known = state.Vnics.Find(device) ?? [];
        state.Vnics.Set(device, [.. wanted.Select(vnic => known.FirstOrDefault(other => IsSame(vnic, other)) ?? vnic)]);
    }

    private static bool IsSame(VnicRecord one, VnicRecord other) =>
        one.Name == other.Name && one.ParentInterface == other.ParentInterface && one.NetworkMode == other.NetworkMode && one.Ip == other.Ip
        && one.Subnet == other.Subnet && one.Gateway == other.Gateway && one.MacAddress == other.MacAddress;

    [LoggerMessage(7023, LogLevel.Error, "{Device} could not be changed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string device, string reason, Exception? trace);
}
