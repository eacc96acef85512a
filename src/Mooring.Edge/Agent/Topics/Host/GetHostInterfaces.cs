using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>Interfaces of the host on which devices can have a place, as the network monitor sees them.</summary>
internal sealed class GetHostInterfaces(HostNetwork network, AgentState state) : ITopic
{
    public string Name => "get_host_interfaces";

    public Contract Contract { get; } = Contract.Request
        .Optional("include_virtual", ContractType.Boolean)
        .Optional("detailed", ContractType.Boolean);

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) => Task.FromResult(List(request));

    private JsonObject List(TopicRequest request)
    {
        var interfaces = network.Interfaces;
        if (interfaces.Count == 0)
            return Answers.Error("no interface is known: the network monitor is not running, or has discovered nothing yet", "no_interfaces");
        var detailed = request.Flag("detailed", absent: true);
        var includeVirtual = request.Flag("include_virtual", absent: false);
        var owners = state.DedicatedTo();
        var items = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var nic in interfaces.Values)
            if (includeVirtual || !VirtualInterfaces.IsVirtual(nic.Name)) items[nic.Name] = Item(nic, detailed, owners.GetValueOrDefault(nic.Name));
        // One that was moved into a device is out of the monitor's sight.
        foreach (var (nic, owner) in owners)
            items.TryAdd(nic, new JsonObject
            {
                ["name"] = nic, ["ip_address"] = null, ["ipv4_addresses"] = new JsonArray(), ["mac_address"] = null, ["dedicated_to"] = owner,
            });
        var answer = Answers.Success();
        answer["interfaces"] = new JsonArray([.. items.Values]);
        return answer;
    }

    private static JsonObject Item(HostInterface nic, bool detailed, string? owner)
    {
        var addresses = nic.Addresses.Where(a => !a.Address.StartsWith("127.", StringComparison.Ordinal)).ToList();
        var item = new JsonObject
        {
            ["name"] = nic.Name,
            ["ip_address"] = addresses.FirstOrDefault()?.Address,
            ["ipv4_addresses"] = new JsonArray([.. addresses.Select(a => JsonValue.Create(a.Address))]),
            ["mac_address"] = nic.Mac,
        };
        if (detailed)
        {
            item["subnet"] = addresses.FirstOrDefault()?.Subnet;
            item["gateway"] = nic.Gateway;
        }
        if (owner is not null) item["dedicated_to"] = owner;
        if (addresses.Count == 0 && !nic.IsWifi) item["dedicated_only"] = true;
        return item;
    }
}
