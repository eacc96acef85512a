using System.Globalization;

namespace Mooring.Edge.NetMon.Vnics;

/// <summary>Physical interfaces that go into a container as a whole, and come back.</summary>
/// <param name="programs">Runs ip.</param>
internal sealed class PhysicalNics(Programs programs)
{
    /// <summary>Whether a container has an interface of a name.</summary>
    public async Task<bool> IsInsideAsync(int pid, string nic, CancellationToken cancellationToken)
    {
        try
        {
            await programs.IpInsideAsync(pid, ["link", "show", "dev", nic], cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ProgramException)
        {
            return false;
        }
    }

    /// <summary>Moves one into a container.</summary>
    public async Task MoveAsync(int pid, string nic, CancellationToken cancellationToken)
    {
        if (await IsInsideAsync(pid, nic, cancellationToken).ConfigureAwait(false)) return;
        await programs.IpAsync(["link", "set", "dev", nic, "down"], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["link", "set", "dev", nic, "netns", Text(pid)], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["link", "set", "dev", nic, "up"], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes one back. The host's network is the monitor's own.</summary>
    public async Task ReturnAsync(int pid, string nic, CancellationToken cancellationToken)
    {
        await programs.IpInsideAsync(pid, ["link", "set", "dev", nic, "netns", Text(Environment.ProcessId)], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["link", "set", "dev", nic, "up"], cancellationToken).ConfigureAwait(false);
    }

    private static string Text(int pid) => pid.ToString(CultureInfo.InvariantCulture);
}
