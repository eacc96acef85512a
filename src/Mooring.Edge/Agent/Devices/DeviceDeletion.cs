using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Removes a device with all that it had. Done again after a kill, it removes what is left.</summary>
internal sealed partial class DeviceDeletion(
    EngineClient engine, AgentState state, OperationTable operations, VnicAttachment vnics, DedicatedNics nics, InternalNetworks internals,
    LoadRecorder loads, DeviceNotes notes, ILogger<DeviceDeletion> logger)
{
    /// <summary>How long a device has to end by itself.</summary>
    internal static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    /// <summary>Removes the device; its operation has begun already and is ended here, well or not.</summary>
    public async Task RunAsync(string device, CancellationToken cancellationToken)
    {
        try
        {
            await RemoveAsync(device, cancellationToken).ConfigureAwait(false);
            operations.Clear(device);
        }
        catch (Exception e)
        {
            operations.Fail(device, e is OperationCanceledException ? "the agent was stopped" : e.Message);
            LogFailed(logger, device, e.Message, DeviceException.TraceOf(e));
        }
    }

    /// <summary>Removes what there is of a device: container, volume, leases, interfaces, registration, private network.</summary>
    public async Task RemoveAsync(string device, CancellationToken cancellationToken)
    {
        var container = await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false);
        var pid = container?.State.Pid ?? 0;
        await nics.ReturnAsync(device, pid, cancellationToken).ConfigureAwait(false);
        await vnics.DetachAsync(device, pid, cancellationToken).ConfigureAwait(false);

        operations.Step(device, "stopping_container");
        if (container is not null) await RemoveContainerAsync(engine, device, cancellationToken).ConfigureAwait(false);

        operations.Step(device, "removing_networks");
        await internals.RemoveAsync(device, cancellationToken).ConfigureAwait(false);
        state.Forget(device);
        loads.Forget(device);
        notes.Clear(device);
    }

    /// <summary>Stops and removes a container and the volume that was made with it.</summary>
    public static async Task RemoveContainerAsync(EngineClient engine, string device, CancellationToken cancellationToken)
    {
        try
        {
            await engine.StopContainerAsync(device, StopGrace, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e) when (!e.IsUnavailable)
        {
            // Gone, or in a state in which it cannot be stopped: removing it by force says so if that fails too.
        }
        await engine.RemoveContainerAsync(device, cancellationToken).ConfigureAwait(false);
        await engine.RemoveVolumeAsync(DeviceContainer.VolumeOf(device), cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(7040, LogLevel.Error, "{Device} could not be removed whole: {Reason}")]
    private static partial void LogFailed(ILogger logger, string device, string reason, Exception? trace);
}
