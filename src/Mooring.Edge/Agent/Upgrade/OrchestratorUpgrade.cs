using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Topics;

namespace Mooring.Edge.Agent.Upgrade;

/// <summary>
/// Upgrades network monitor and agent to images of another tag. The monitor is replaced first and looked at; then a container of the new
/// image replaces the agent (<see cref="AgentUpgrader"/>). Devices are not touched.
/// </summary>
internal sealed partial class OrchestratorUpgrade(
    AgentOptions options, EngineClient engine, EngineSelf self, ImagePull pull, ContainerReplacement replacement, INetworkMonitor monitor,
    OperationTable operations, IHubOutbox outbox, TimeProvider time, ILogger<OrchestratorUpgrade> logger)
{
    /// <summary>How long a new network monitor has until the agent is connected to it.</summary>
    internal static readonly TimeSpan MonitorTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Longer than an upgrader takes, whatever happens.</summary>
    private static readonly TimeSpan ResultTimeout = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Begins it; the operation on the agent has begun already. When all goes well, this process is stopped at the end.</summary>
    /// <param name="order">To which images.</param>
    /// <param name="cancellationToken">The agent stops.</param>
    public async Task RunAsync(UpgradeOrder order, CancellationToken cancellationToken)
    {
        try
        {
            Step("starting");
            var agent = await self.FindAsync(cancellationToken).ConfigureAwait(false) is { } id
                ? await engine.InspectContainerAsync(id, cancellationToken).ConfigureAwait(false) : null;
            if (agent?.Config?.Image is not { } agentImage) throw new DeviceException("the agent runs in no container: it is upgraded like any program of its machine");
            var monitorImage = (await engine.InspectContainerAsync(OrchestratorContainers.Monitor, cancellationToken).ConfigureAwait(false))?.Config?.Image;

            Step("pulling_images");
            var newAgent = await PullAsync(agentImage, order.Tag, order.AgentDigest, cancellationToken).ConfigureAwait(false);
            var newMonitor = monitorImage is null ? null : await PullAsync(monitorImage, order.Tag, order.MonitorDigest, cancellationToken).ConfigureAwait(false);

            Step("upgrading_netmon");
            if (newMonitor is not null
                && await replacement.RunAsync(OrchestratorContainers.Monitor, newMonitor, ProveMonitorAsync, cancellationToken).ConfigureAwait(false) is { } reason)
                throw new DeviceException($"the new network monitor is not good, the old one is back: {reason}");

            Step("spawning_upgrader");
            await SpawnAsync(agent, newAgent, cancellationToken).ConfigureAwait(false);
            Step("upgrader_spawned");
            await EndAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EngineException or DeviceException)
        {
            Fail(e.Message);
        }
    }

    /// <summary>Waits for what the upgrader leaves, and ends the operation by it. Also called by the agent that comes after.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            if (UpgradeResult.Take(options.DataFolder) is { } result)
            {
                await engine.RemoveContainerAsync(OrchestratorContainers.Upgrader, cancellationToken).ConfigureAwait(false);
                outbox.Emit("upgrade_finished", new JsonObject { ["image"] = result.Image, ["error"] = result.Error });
                if (result.Error is null) operations.Clear(Operation.Orchestrator);
                else Fail($"the old agent is back: {result.Error}");
                return;
            }
            if (time.GetElapsedTime(began) > ResultTimeout)
            {
                Fail("the upgrader left no result");
                return;
            }
            await Task.Delay(LookPause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Step(string step) => operations.Step(Operation.Orchestrator, step);

    private void Fail(string reason)
    {
        operations.Fail(Operation.Orchestrator, reason, OperationKind.Upgrade);
        LogFailed(logger, reason);
    }

    private async Task<string> PullAsync(string image, string tag, string? digest, CancellationToken cancellationToken)
    {
        var (repository, _) = ContainerCopy.Split(image);
        await pull.EnsureAsync(Operation.Orchestrator, repository, tag, options.Pull, cancellationToken).ConfigureAwait(false);
        var found = $"{repository}:{tag}";
        if (digest is null) return found;
        var details = await engine.InspectImageAsync(found, cancellationToken).ConfigureAwait(false);
        if (details is null || !UpgradeOrder.Matches(details, digest)) throw new DeviceException($"{found} is not {digest}: nothing is upgraded");
        // By what it is from here on: the tag may name another image in the next moment.
        return details.Id == digest ? found : $"{found}@{digest}";
    }

    private async Task<string?> ProveMonitorAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < MonitorTimeout)
        {
            await Task.Delay(LookPause, time, cancellationToken).ConfigureAwait(false);
            if (monitor.IsConnected) return null;
        }
        return $"the agent was not connected to it within {MonitorTimeout.TotalSeconds} s";
    }

    // The same volume and the engine's socket, as the agent itself has them.
    private async Task SpawnAsync(ContainerDetails agent, string image, CancellationToken cancellationToken)
    {
        await engine.RemoveContainerAsync(OrchestratorContainers.Upgrader, cancellationToken).ConfigureAwait(false);
        await engine.CreateContainerAsync(OrchestratorContainers.Upgrader, new ContainerCreation
        {
            Image = image,
            Env = ["UPGRADE_MODE=true", $"TARGET_CONTAINER={agent.Name.TrimStart('/')}", $"NEW_IMAGE={image}"],
            HostConfig = new HostSettings
            {
                RestartPolicy = new RestartPolicy("no"),
                Binds = [.. (agent.Mounts ?? []).Where(m => m.Destination is not null).Select(m => $"{(string.IsNullOrEmpty(m.Name) ? m.Source : m.Name)}:{m.Destination}")],
            },
        }, cancellationToken).ConfigureAwait(false);
        await engine.StartContainerAsync(OrchestratorContainers.Upgrader, cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(7081, LogLevel.Error, "the upgrade failed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
