using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>The machine, its addresses and the history of its load. The answer bears no status when it is good, as it never did.</summary>
internal sealed class GetConsumptionOrchestrator(HostNetwork network, HostFacts facts, LoadRecorder loads, TimeProvider time) : ITopic
{
    public string Name => "get_consumption_orchestrator";

    public Contract Contract { get; } = Consumption.Periods(Contract.Request);

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var addresses =
            from nic in network.Interfaces.Values.OrderBy(i => i.Name, StringComparer.Ordinal)
            where !VirtualInterfaces.IsVirtual(nic.Name)
            from address in nic.Addresses
            where !address.Address.StartsWith("127.", StringComparison.Ordinal)
            select (JsonNode)new JsonObject { ["interface"] = nic.Name, ["ip_address"] = address.Address };
        var answer = new JsonObject
        {
            ["ip_addresses"] = new JsonArray([.. addresses]),
            ["memory"] = facts.MemoryMiB,
            ["cpu"] = facts.Processors,
            ["os"] = facts.OperatingSystem,
            ["kernel"] = facts.Kernel,
            ["disk"] = facts.DiskGiB,
        };
        Consumption.AddSeries(answer, request, time.GetUtcNow().ToUnixTimeSeconds(), loads.QueryHost);
        return Task.FromResult(answer);
    }
}
