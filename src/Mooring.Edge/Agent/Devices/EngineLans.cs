using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Networks of the plant that the engine makes, for agents that are run without the network monitor's own ones.</summary>
/// <param name="engine">The engine.</param>
internal sealed class EngineLans(EngineClient engine)
{
    private const string Driver = "macvlan";
    private const string ParentOption = "parent";

    /// <summary>A place in the engine's network for a virtual interface; the network is made where it is missing.</summary>
    /// <param name="vnic">The virtual interface.</param>
    /// <param name="interfaces">Interfaces of the host.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<EngineLan> GetOrCreateAsync(
        VnicRecord vnic, IReadOnlyDictionary<string, HostInterface> interfaces, CancellationToken cancellationToken)
    {
        var name = SpecificationCheck.LanName(vnic, interfaces);
        var subnet = SpecificationCheck.SubnetOf(vnic, interfaces);
        var gateway = vnic.Gateway ?? interfaces.GetValueOrDefault(vnic.ParentInterface)?.Gateway;
        var network = await FindAsync(name, cancellationToken).ConfigureAwait(false)
            ?? await CreateAsync(name, vnic.ParentInterface, subnet, gateway, cancellationToken).ConfigureAwait(false);
        var address = vnic.NetworkMode == "static" ? Ipv4Subnet.WithoutPrefix(vnic.Ip) : null;
        return new EngineLan(vnic, network, vnic.MacAddress!, address);
    }

    /// <summary>Hardware addresses that containers, running or not, have on the engine's networks, with the interface of the host.</summary>
    public async Task<IReadOnlyList<(string Parent, string Mac)>> MacsInUseAsync(CancellationToken cancellationToken)
    {
        var networks = await engine.ListNetworksAsync(cancellationToken).ConfigureAwait(false);
        var parents = networks.Where(n => n.Driver == Driver).ToDictionary(n => n.Name, ParentOf, StringComparer.Ordinal);
        var containers = await engine.ListContainersAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. from container in containers
               from endpoint in container.NetworkSettings?.Networks ?? new Dictionary<string, EndpointSettings>()
               where parents.ContainsKey(endpoint.Key) && !string.IsNullOrEmpty(endpoint.Value.MacAddress)
               select (parents[endpoint.Key], endpoint.Value.MacAddress!.ToLowerInvariant()),
        ];
    }

    private async Task<string?> FindAsync(string name, CancellationToken cancellationToken) =>
        (await engine.InspectNetworkAsync(name, cancellationToken).ConfigureAwait(false))?.Name;

    private async Task<string> CreateAsync(
        string name, string parent, Ipv4Subnet? subnet, string? gateway, CancellationToken cancellationToken)
    {
        try
        {
            await engine.CreateNetworkAsync(new NetworkCreation
            {
                Name = name,
                Driver = Driver,
                Options = new Dictionary<string, string> { [ParentOption] = parent },
                IPAM = subnet is { } range ? new NetworkAddresses([new NetworkSubnet(range.ToString(), gateway)]) : null,
            }, cancellationToken).ConfigureAwait(false);
            return name;
        }
        catch (EngineException e) when (e.Message.Contains("overlap", StringComparison.OrdinalIgnoreCase) && subnet is not null)
        {
            // The same network under another name: made by hand, or by an earlier agent.
            var networks = await engine.ListNetworksAsync(cancellationToken).ConfigureAwait(false);
            var same = networks.FirstOrDefault(n => n.Driver == Driver && ParentOf(n) == parent && InternalNetworks.RangesOf([n]).Contains(subnet.Value));
            if (same is null) throw;
            return same.Name;
        }
    }

    private static string ParentOf(NetworkDetails network) => network.Options?.GetValueOrDefault(ParentOption) ?? "";
}
