using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Upgrade;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Finishes or takes back what an agent that was killed had begun, before anything else is done.</summary>
internal sealed partial class CrashRecovery(
    EngineClient engine, AgentState state, OperationTable operations, DeviceDeletion deletion, InternalNetworks internals, ContainerReplacement replacement, OrchestratorUpgrade upgrade, AgentWork work,
    ILogger<CrashRecovery> logger)
{
    /// <summary>Brings one interrupted operation to an end.</summary>
    /// <exception cref="EngineException">the engine cannot be reached: try again later</exception>
    public async Task RecoverAsync(Operation interrupted, CancellationToken cancellationToken)
    {
        var (name, kind) = (interrupted.Name, interrupted.Kind);
        LogFound(logger, kind, name, interrupted.Step ?? "its beginning");
        // At a second try it has begun already.
        if (!operations.TryBegin(name, kind, out var running) && running?.Kind != kind) return;
        switch (kind)
        {
            case OperationKind.Create when state.Devices.Find(name) is null:
                await TakeBackAsync(name, cancellationToken).ConfigureAwait(false);
                operations.Fail(name, $"the agent was killed while it made {name} ({interrupted.Step}); what was made is removed, it can be made again");
                return;
            case OperationKind.Delete when name != Operation.Orchestrator:
                await deletion.RunAsync(name, cancellationToken).ConfigureAwait(false);
                return;
            case OperationKind.Update:
                // The container that was set aside is the one that was known to be good.
                if (await replacement.RestoreAsync(name, cancellationToken).ConfigureAwait(false))
                    operations.Fail(name, $"the agent was killed while it changed {name} ({interrupted.Step}); the container from before is back");
                else
                    operations.Clear(name);
                return;
            case OperationKind.Upgrade when interrupted.Step is "spawning_upgrader" or "upgrader_spawned":
                // This agent is the new one, or the old one that was put back: the upgrader tells which.
                work.Start("the end of the upgrade", upgrade.EndAsync);
                return;
            case OperationKind.Upgrade or OperationKind.Delete:
                operations.Fail(name, $"the agent was killed during {interrupted.Word} ({interrupted.Step})");
                return;
            default:
                // A device that is registered is whole; upkeep does what a start, stop or restart left undone.
                operations.Clear(name);
                return;
        }
    }

    private async Task TakeBackAsync(string name, CancellationToken cancellationToken)
    {
        var container = await engine.InspectContainerAsync(name, cancellationToken).ConfigureAwait(false);
        if (container?.Config?.Labels?.GetValueOrDefault(DeviceContainer.RoleLabel) == DeviceContainer.DeviceRole)
            await DeviceDeletion.RemoveContainerAsync(engine, name, cancellationToken).ConfigureAwait(false);
        else if (container is not null)
            return;
        await internals.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
        state.Forget(name);
    }

    [LoggerMessage(7045, LogLevel.Warning, "the agent was killed during {Kind} of {Device}, at {Step}: it is finished or taken back now")]
    private static partial void LogFound(ILogger logger, OperationKind kind, string device, string step);
}
