using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Starts, stops and restarts devices at an operator's word. That one was stopped is remembered: it stays so over restarts of all kinds.</summary>
internal sealed class DeviceControl(EngineClient engine, AgentState state, OperationTable operations, DeviceUpkeep upkeep)
{
    /// <summary>Does it.</summary>
    /// <param name="device">A registered device.</param>
    /// <param name="kind"><see cref="OperationKind.Start"/>, <see cref="OperationKind.Stop"/> or <see cref="OperationKind.Restart"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The container's state afterwards.</returns>
    /// <exception cref="DeviceBusyException">something else is being done with the device</exception>
    /// <exception cref="EngineException">the engine refused</exception>
    public async Task<string> RunAsync(string device, OperationKind kind, CancellationToken cancellationToken)
    {
        if (!operations.TryBegin(device, kind, out var running)) throw new DeviceBusyException(running);
        try
        {
            // The mark first: a kill between the two must not leave a device that nobody starts, or one that is started against an operator's will.
            state.Devices.Update(device, record => record with { IsStopped = kind == OperationKind.Stop });
            if (kind != OperationKind.Start) await engine.StopContainerAsync(device, DeviceDeletion.StopGrace, cancellationToken).ConfigureAwait(false);
            if (kind != OperationKind.Stop) await engine.StartContainerAsync(device, cancellationToken).ConfigureAwait(false);
            operations.Clear(device);
            if (kind != OperationKind.Stop) upkeep.Restarted(device);
        }
        catch (Exception e)
        {
            operations.Fail(device, e.Message);
            throw;
        }
        return (await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false))?.State.Status ?? "missing";
    }
}
