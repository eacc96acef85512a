using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Checks how a device is wanted against this machine, and completes it: addresses, names of networks.</summary>
internal sealed class DevicePlanning(
    AgentOptions options, EngineLans lans, HostNetwork network, AgentState state, DeviceNotes notes, TimeProvider time)
{
    /// <summary>Longest wait for the monitor to tell of the interfaces.</summary>
    private static readonly TimeSpan DiscoveryTimeout = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Claim> _claims = new(StringComparer.Ordinal);

    /// <summary>What was planned is registered now, or will never be: its addresses and interfaces are not kept for it any longer.</summary>
    public void Release(string device)
    {
        lock (_gate) _claims.Remove(device);
    }

    /// <summary>Checks and completes. Its addresses and interfaces are kept for it until <see cref="Release"/>.</summary>
    /// <returns>The device as it is to be made, and the interfaces of the host.</returns>
    /// <exception cref="DeviceException">it cannot be made so</exception>
    public async Task<(DeviceSpecification Wanted, IReadOnlyDictionary<string, HostInterface> Interfaces)> PlanAsync(
        DeviceSpecification wanted, CancellationToken cancellationToken)
    {
        var interfaces = await InterfacesAsync(wanted, cancellationToken).ConfigureAwait(false);
        var macs = new HashSet<(string, string)>(await lans.MacsInUseAsync(cancellationToken).ConfigureAwait(false));
        foreach (var vnic in state.Vnics.Snapshot().Where(device => device.Key != wanted.Name).SelectMany(device => device.Value))
            if (vnic.MacAddress is { } mac) macs.Add((vnic.ParentInterface, mac.ToLowerInvariant()));
        var dedicated = state.DedicatedTo();
        if (wanted.DedicatedInterface is { } own && dedicated.GetValueOrDefault(own) == wanted.Name) dedicated.Remove(own);
        var warnings = new List<string>();
        var context = new SpecificationContext(interfaces, macs, dedicated, options.Lan == LanMode.Engine);
        lock (_gate)
        {
            // Two devices may be made at the same time, and neither is registered yet.
            foreach (var (device, claimed) in _claims.Where(claim => claim.Key != wanted.Name))
            {
                macs.UnionWith(claimed.Macs);
                if (claimed.DedicatedInterface is { } nic) dedicated.TryAdd(nic, device);
            }
            if (SpecificationCheck.Check(wanted, context, warnings) is { } error) throw new DeviceException(error);
            wanted = wanted with { Vnics = [.. wanted.Vnics.Select(vnic => Complete(vnic, interfaces))] };
            _claims[wanted.Name] = new Claim(
                [.. wanted.Vnics.Where(vnic => vnic.MacAddress is not null).Select(vnic => (vnic.ParentInterface, vnic.MacAddress!))], wanted.DedicatedInterface);
        }
        foreach (var warning in warnings) notes.Warn(wanted.Name, warning);
        return (wanted, interfaces);
    }

    private async Task<IReadOnlyDictionary<string, HostInterface>> InterfacesAsync(DeviceSpecification wanted, CancellationToken cancellationToken)
    {
        var interfaces = network.Interfaces;
        if (wanted.Vnics.All(vnic => interfaces.ContainsKey(vnic.ParentInterface)) && wanted.DedicatedInterface is null) return interfaces;
        try
        {
            await network.Discovered.WaitAsync(DiscoveryTimeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Without the monitor a device can still be made; its LAN follows when the monitor comes.
        }
        return network.Interfaces;
    }

    private sealed record Claim(IReadOnlyList<(string Parent, string Mac)> Macs, string? DedicatedInterface);

    private static VnicRecord Complete(VnicRecord vnic, IReadOnlyDictionary<string, HostInterface> interfaces)
    {
        var isWifi = interfaces.GetValueOrDefault(vnic.ParentInterface) is { IsWifi: true };
        return vnic with
        {
            IsWifi = isWifi,
            InterfaceType = isWifi ? "wifi" : "ethernet",
            Method = isWifi ? VnicRecord.ProxyArpMethod : VnicRecord.MacvlanMethod,
            MacAddress = isWifi ? null : vnic.Mac is { } given && MacAddress.TryNormalize(given, out var mac) ? mac : vnic.MacAddress ?? MacAddress.Generate(),
            NetworkName = isWifi ? null : SpecificationCheck.LanName(vnic, interfaces),
        };
    }
}
