using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;

namespace Mooring.Edge.Agent.Devices;

/// <summary>
/// Makes a device, step by step. When a step fails, what was made is taken away again; the entry in the registry comes last and makes
/// the device valid.
/// </summary>
internal sealed partial class DeviceCreation(
    AgentOptions options, AgentIdentity identity, EngineClient engine, EngineSelf self, EngineLans lans, InternalNetworks internals, ImagePull pull, DevicePlanning planning,
    AgentState state, OperationTable operations, DeviceNotes notes, TimeProvider time, ILogger<DeviceCreation> logger)
{
    /// <summary>Longest time for taking away what was made.</summary>
    private static readonly TimeSpan UndoTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Makes the device; its operation has begun already and is ended here, well or not.</summary>
    /// <returns>Whether it was made.</returns>
    public async Task<bool> RunAsync(DeviceSpecification wanted, CancellationToken cancellationToken)
    {
        var undo = new UndoStack();
        try
        {
            await CreateAsync(wanted, undo, cancellationToken).ConfigureAwait(false);
            operations.Clear(wanted.Name);
            return true;
        }
        catch (Exception e)
        {
            await UndoAsync(wanted.Name, undo).ConfigureAwait(false);
            operations.Fail(wanted.Name, e is OperationCanceledException ? "the agent was stopped" : e.Message);
            LogFailed(logger, wanted.Name, e.Message, DeviceException.TraceOf(e));
            return false;
        }
        finally
        {
            planning.Release(wanted.Name);
        }
    }

    private async Task CreateAsync(DeviceSpecification wanted, UndoStack undo, CancellationToken cancellationToken)
    {
        var name = wanted.Name;
        operations.Step(name, "validating_config");
        notes.Clear(name);
        (wanted, var interfaces) = await planning.PlanAsync(wanted, cancellationToken).ConfigureAwait(false);

        operations.Step(name, "pulling_image");
        if (await pull.EnsureAsync(name, options.RuntimeImage, wanted.Version, options.Pull, cancellationToken).ConfigureAwait(false) is { } odd)
            notes.Warn(name, odd);

        operations.Step(name, "creating_networks");
        if (await internals.EnsureAsync(name, cancellationToken).ConfigureAwait(false))
            undo.Push($"the private network of {name}", stop => internals.RemoveAsync(name, stop));
        var places = await EngineLansAsync(wanted, interfaces, cancellationToken).ConfigureAwait(false);

        operations.Step(name, "creating_container");
        await RunContainerAsync(wanted, places, undo, cancellationToken).ConfigureAwait(false);
        await JoinAsync(name, cancellationToken).ConfigureAwait(false);
        await RegisterAsync(wanted, places, undo, cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<EngineLan>> EngineLansAsync(
        DeviceSpecification wanted, IReadOnlyDictionary<string, HostInterface> interfaces, CancellationToken cancellationToken)
    {
        if (options.Lan == LanMode.Monitor) return [];
        var places = new List<EngineLan>();
        foreach (var vnic in wanted.Vnics.Where(vnic => vnic.IsWifi != true))
            places.Add(await lans.GetOrCreateAsync(vnic, interfaces, cancellationToken).ConfigureAwait(false));
        return places;
    }

    private async Task RunContainerAsync(
        DeviceSpecification wanted, IReadOnlyList<EngineLan> places, UndoStack undo, CancellationToken cancellationToken)
    {
        var takesSeveral = await engine.NegotiateAsync(cancellationToken).ConfigureAwait(false) >= EngineVersion.SeveralNetworksAtCreation;
        var context = new DeviceContainerContext
        {
            Image = options.RuntimeImage,
            AgentId = identity.Id,
            Now = time.GetUtcNow(),
            KeepRuntimeData = options.KeepRuntimeData,
            Lans = places,
            TakesSeveralNetworks = takesSeveral,
            OciRuntime = options.OciRuntime,
        };
        var name = wanted.Name;
        var isMade = false;
        while (true)
        {
            try
            {
                await engine.CreateContainerAsync(name, DeviceContainer.Build(wanted, context), cancellationToken).ConfigureAwait(false);
                if (!isMade) PushRemoval(name, undo);
                isMade = true;
                await ConnectAsync(name, context, cancellationToken).ConfigureAwait(false);
                await engine.StartContainerAsync(name, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (EngineException e) when (DeviceContainer.Without(context, e) is { } less)
            {
                // Limits are refused by the kernel when the first process starts, which is after the engine has made the container.
                notes.Warn(name, $"the engine refused {(less.WithRealTime ? "the limits for real-time priority and locked memory" : "the capability SYS_NICE")}, the device runs without: {e.Message}");
                if (isMade) await engine.RemoveContainerAsync(name, cancellationToken).ConfigureAwait(false);
                context = less;
            }
        }
    }

    private void PushRemoval(string name, UndoStack undo) => undo.Push($"the container {name}", async stop =>
    {
        await engine.RemoveContainerAsync(name, stop).ConfigureAwait(false);
        await engine.RemoveVolumeAsync(DeviceContainer.VolumeOf(name), stop).ConfigureAwait(false);
    });

    private async Task ConnectAsync(string name, DeviceContainerContext context, CancellationToken cancellationToken)
    {
        if (context.TakesSeveralNetworks || context.Lans.Count == 0) return;
        await engine.ConnectNetworkAsync(InternalNetworks.NameOf(name), name, endpoint: null, cancellationToken).ConfigureAwait(false);
        foreach (var place in context.Lans.Skip(1))
            await engine.ConnectNetworkAsync(place.Network, name, DeviceContainer.EndpointOf(place), cancellationToken).ConfigureAwait(false);
    }

    private async Task JoinAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await self.JoinAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e)
        {
            notes.Warn(name, $"the agent could not join the private network of {name}, commands to its runtime may fail: {e.Message}");
        }
    }

    private async Task RegisterAsync(
        DeviceSpecification wanted, IReadOnlyList<EngineLan> places, UndoStack undo, CancellationToken cancellationToken)
    {
        var name = wanted.Name;
        var details = await engine.InspectContainerAsync(name, cancellationToken).ConfigureAwait(false)
            ?? throw new DeviceException($"the container {name} vanished while it was being made");
        var networks = details.NetworkSettings?.Networks ?? new Dictionary<string, EndpointSettings>();
        var placed = places.ToDictionary(place => place.Vnic.Name, StringComparer.Ordinal);
        undo.Push($"the registration of {name}", _ =>
        {
            state.Forget(name);
            return Task.CompletedTask;
        });
        state.Vnics.Set(name, [.. wanted.Vnics.Select(vnic => placed.TryGetValue(vnic.Name, out var place)
            ? vnic with { NetworkName = place.Network, MacAddress = networks.GetValueOrDefault(place.Network)?.MacAddress ?? vnic.MacAddress }
            : vnic)]);
        if (wanted.SerialPorts is { Count: > 0 } ports) state.SerialPorts.Set(name, new SerialRecord { Ports = ports });
        if (wanted.DedicatedInterface is { } nic) state.DedicatedNics.Set(name, new DedicatedNicRecord(nic));
        state.Devices.Set(name, new DeviceRecord { Name = name, Ip = networks.GetValueOrDefault(InternalNetworks.NameOf(name))?.IPAddress });
    }

    private async Task UndoAsync(string name, UndoStack undo)
    {
        using var limit = new CancellationTokenSource(UndoTimeout, time);
        foreach (var (what, why) in await undo.UndoAsync(limit.Token).ConfigureAwait(false)) LogLeft(logger, name, what, why.Message);
    }

    [LoggerMessage(7021, LogLevel.Error, "{Device} could not be made: {Reason}")]
    private static partial void LogFailed(ILogger logger, string device, string reason, Exception? trace);

    [LoggerMessage(7022, LogLevel.Error, "{Device} could not be made, and {What} could not be taken away again: {Reason}")]
    private static partial void LogLeft(ILogger logger, string device, string what, string reason);
}
