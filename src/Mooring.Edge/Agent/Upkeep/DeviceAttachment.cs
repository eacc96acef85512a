using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.State;

namespace Mooring.Edge.Agent.Upkeep;

/// <summary>
/// Gives a running device what it needs around it: the agent as its neighbour, its place on the plant's network, its physical interface,
/// its serial ports. One routine for every way in which a device came to run; done again, it repairs what is missing.
/// </summary>
internal sealed class DeviceAttachment(
    EngineSelf self, AgentState state, VnicAttachment vnics, DedicatedNics nics, SerialPorts serial, DeviceNotes notes)
{
    /// <summary>Attaches a device.</summary>
    /// <param name="device">The device; it runs.</param>
    /// <param name="container">Its container.</param>
    /// <param name="renew">Whether its addresses may have become wrong: they are asked for anew.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether all is there.</returns>
    public async Task<bool> AttachAsync(string device, ContainerDetails container, bool renew, CancellationToken cancellationToken)
    {
        await JoinAsync(device, cancellationToken).ConfigureAwait(false);
        var networks = container.NetworkSettings?.Networks;
        if (networks?.GetValueOrDefault(InternalNetworks.NameOf(device))?.IPAddress is { Length: > 0 } address)
            state.Devices.Update(device, record => record with { Ip = address });
        var isWhole = true;
        foreach (var vnic in state.Vnics.Find(device) ?? [])
            isWhole &= await vnics.AttachAsync(device, vnic, container, renew, cancellationToken).ConfigureAwait(false);
        isWhole &= await nics.AttachAsync(device, container.State.Pid, cancellationToken).ConfigureAwait(false);
        await serial.SyncAsync(device, cancellationToken).ConfigureAwait(false);
        return isWhole;
    }

    private async Task JoinAsync(string device, CancellationToken cancellationToken)
    {
        const string Subject = "private network:";
        try
        {
            await self.JoinAsync(device, cancellationToken).ConfigureAwait(false);
            notes.Resolve(device, Subject);
        }
        catch (EngineException e) when (!e.IsUnavailable)
        {
            notes.Warn(device, $"{Subject} the agent could not join it, commands to the runtime may fail: {e.Message}");
        }
    }
}
