using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.Upkeep;

/// <summary>Physical interfaces that devices have as a whole.</summary>
internal sealed class DedicatedNics(INetworkMonitor monitor, AgentState state, DeviceNotes notes)
{
    /// <summary>Moves a device's interface to it unless it is there.</summary>
    /// <returns>Whether it is there, or none is meant to be.</returns>
    public async Task<bool> AttachAsync(string device, int pid, CancellationToken cancellationToken)
    {
        if (state.DedicatedNics.Find(device) is not { HostInterface: var nic }) return true;
        var subject = $"dedicated interface {nic}:";
        var command = new MonitorCommand { Command = MonitorCommand.CheckNicInContainer, HostInterface = nic, ContainerPid = pid };
        var answer = await monitor.SendAsync(command, cancellationToken).ConfigureAwait(false);
        if (answer is not { Success: true, Present: true })
            answer = await monitor.SendAsync(command with { Command = MonitorCommand.MoveNicToContainer }, cancellationToken).ConfigureAwait(false);
        if (answer.Success) notes.Resolve(device, subject);
        else notes.Warn(device, $"{subject} {answer.Error}");
        return answer.Success;
    }

    /// <summary>Gives a device's interface back to the host, while the device still runs.</summary>
    public async Task ReturnAsync(string device, int pid, CancellationToken cancellationToken)
    {
        if (state.DedicatedNics.Find(device) is not { HostInterface: var nic }) return;
        // When the last process of a container ends, the kernel itself gives a physical interface back.
        if (pid > 0)
            await monitor.SendAsync(new MonitorCommand { Command = MonitorCommand.ReturnNicToHost, HostInterface = nic, ContainerPid = pid }, cancellationToken)
                .ConfigureAwait(false);
        state.DedicatedNics.Remove(device);
    }
}
