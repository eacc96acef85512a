using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.Devices;

/// <summary>
/// Removes the agent from its machine with all that it made: devices, networks, the network monitor, the shared volume, at last its own
/// container. What cannot be removed is told and does not keep the rest.
/// </summary>
internal sealed partial class SelfDestruction(
    AgentIdentity identity, EngineClient engine, EngineSelf self, AgentState state, OperationTable operations, DeviceDeletion deletion,
    INetworkMonitor monitor, IHubOutbox outbox, IAgentLifetime lifetime, TimeProvider time, ILogger<SelfDestruction> logger)
{
    /// <summary>For the answer to reach the hub before the work begins.</summary>
    private static readonly TimeSpan Beginning = TimeSpan.FromMilliseconds(100);

    /// <summary>For the last event to reach the hub before the agent is gone.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    /// <summary>Does it; the operation on the agent has begun already.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var results = new JsonObject();
        await Task.Delay(Beginning, time, cancellationToken).ConfigureAwait(false);
        Step("starting");
        Step("deleting_runtimes");
        foreach (var (device, _) in state.Devices.Snapshot())
            await TryAsync(results, device, () => RemoveDeviceAsync(device, cancellationToken)).ConfigureAwait(false);
        Step("cleaning_networks");
        await TryAsync(results, "networks", () => RemoveNetworksAsync(cancellationToken)).ConfigureAwait(false);
        Step("cleaning_proxy_arp");
        await monitor.SendAsync(new MonitorCommand { Command = MonitorCommand.CleanupAllProxyArp }, cancellationToken).ConfigureAwait(false);
        Step("deleting_netmon");
        await TryAsync(results, OrchestratorContainers.Monitor,
            () => engine.RemoveContainerAsync(OrchestratorContainers.Monitor, cancellationToken)).ConfigureAwait(false);

        outbox.Emit("orchestrator_removed", new JsonObject { ["agent_id"] = identity.Id, ["results"] = results });
        await Task.Delay(Farewell, time, cancellationToken).ConfigureAwait(false);
        Step("removing_self");
        // Before, because nothing can be written down afterwards: an agent that finds this volume again must not go on with it.
        operations.Clear(Operation.Orchestrator);
        if (await TryAsync(results, "self", () => RemoveSelfAsync(cancellationToken)).ConfigureAwait(false) is { } error)
            operations.Fail(Operation.Orchestrator, $"the agent's own container could not be removed: {error}", OperationKind.Delete);
    }

    private void Step(string step) => operations.Step(Operation.Orchestrator, step);

    private async Task RemoveDeviceAsync(string device, CancellationToken cancellationToken)
    {
        if (!operations.TryBegin(device, OperationKind.Delete, out var running)) throw new DeviceBusyException(running);
        await deletion.RunAsync(device, cancellationToken).ConfigureAwait(false);
        if (operations.Find(device)?.Error is { } error) throw new DeviceException(error);
    }

    private async Task RemoveNetworksAsync(CancellationToken cancellationToken)
    {
        foreach (var network in await engine.ListNetworksAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!OwnNetwork().IsMatch(network.Name)) continue;
            var details = await engine.InspectNetworkAsync(network.Id, cancellationToken).ConfigureAwait(false);
            if (details?.Containers is { Count: > 0 }) continue;
            await engine.RemoveNetworkAsync(network.Id, cancellationToken).ConfigureAwait(false);
        }
    }

    // The volume and the container cannot be removed while the agent runs in them. An agent that runs on the host itself just ends.
    private async Task RemoveSelfAsync(CancellationToken cancellationToken)
    {
        if (await self.FindAsync(cancellationToken).ConfigureAwait(false) is { } container)
            await engine.RemoveContainerAsync(container, cancellationToken).ConfigureAwait(false);
        lifetime.Stop("it was removed at the hub's word");
    }

    /// <summary>Does one thing.</summary>
    /// <returns>Why it was not done; null when it was.</returns>
    private async Task<string?> TryAsync(JsonObject results, string what, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
            results[what] = "removed";
            return null;
        }
        catch (Exception e) when (e is EngineException or DeviceException or DeviceBusyException or IOException)
        {
            results[what] = e.Message;
            LogLeft(logger, what, e.Message);
            return e.Message;
        }
    }

    [GeneratedRegex(@"\A(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_internal|macvlan_[A-Za-z0-9._-]{1,15}_[0-9.]{7,15}_[0-9]{1,2})\z")]
    private static partial Regex OwnNetwork();

    [LoggerMessage(7048, LogLevel.Error, "{What} could not be removed: {Reason}")]
    private static partial void LogLeft(ILogger logger, string what, string reason);
}
