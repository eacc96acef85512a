using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Policy;
using Mooring.Edge.Agent.Upgrade;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>Upgrades agent and network monitor. Answered at once; the agent that runs afterwards tells what became of it.</summary>
internal sealed class UpgradeOrchestrator(AgentPolicy policy, AgentWork work, OperationTable operations, OrchestratorUpgrade upgrade) : ITopic
{
    private const string UsualTag = "latest";

    public string Name => "upgrade_orchestrator";

    public Contract Contract { get; } = Contract.Request
        .Optional("version", ContractType.String)
        .Optional("digest", ContractType.String)
        .Optional("netmon_digest", ContractType.String)
        .Optional("signature", ContractType.String);

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) => Task.FromResult(Begin(request));

    private JsonObject Begin(TopicRequest request)
    {
        var tag = request.Text("version") is { Length: > 0 } version ? version : UsualTag;
        var order = new UpgradeOrder(tag, request.Text("digest"), request.Text("netmon_digest"), request.Text("signature"));
        if (order.Refusal(policy.UpgradeKey) is { } refusal) return Answers.Error(refusal, "validation_error");
        if (!operations.TryBegin(Operation.Orchestrator, OperationKind.Upgrade, out var running)) return Answers.Busy("the orchestrator", running);
        work.Start("upgrading the orchestrator", stop => upgrade.RunAsync(order, stop));
        return new JsonObject { ["status"] = "accepted", ["message"] = "the orchestrator is being upgraded", ["poll_device_id"] = Operation.Orchestrator };
    }
}
