using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>Removes the agent and all that it made. Answered at once.</summary>
internal sealed class DeleteOrchestrator(AgentWork work, AgentState state, OperationTable operations, SelfDestruction destruction) : ITopic
{
    public string Name => "delete_orchestrator";

    public Contract Contract => Contract.Request;

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) => Task.FromResult(Begin());

    private JsonObject Begin()
    {
        if (!state.IsRegistryKnown)
            return Answers.Error($"the registry of devices ({state.Devices.FilePath}) was lost: nothing is removed before it is repaired", "registry_lost");
        if (!operations.TryBegin(Operation.Orchestrator, OperationKind.Delete, out var running)) return Answers.Busy("the orchestrator", running);
        work.Start("removing the orchestrator", destruction.RunAsync);
        return new JsonObject
        {
            ["status"] = "accepted", ["message"] = "the orchestrator is being removed", ["poll_device_id"] = Operation.Orchestrator,
        };
    }
}
