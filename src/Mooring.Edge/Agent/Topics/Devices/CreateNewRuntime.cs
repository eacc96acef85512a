using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Policy;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Upkeep;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>Makes a device. Answered at once; how far it is tells <see cref="GetDeviceStatus"/>.</summary>
internal sealed class CreateNewRuntime(
    AgentWork work, AgentPolicy policy, AgentState state, OperationTable operations, DeviceCreation creation, DeviceUpkeep upkeep) : ITopic
{
    public string Name => "create_new_runtime";

    public Contract Contract => DeviceSpecification.Contract;

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) => Task.FromResult(Begin(request));

    private JsonObject Begin(TopicRequest request)
    {
        var wanted = DeviceSpecification.Read(request);
        var name = wanted.Name;
        if (!state.IsRegistryKnown)
            return Answers.Error($"the registry of devices ({state.Devices.FilePath}) was lost: no device is made before it is repaired", "registry_lost");
        if (policy.Refusal(wanted) is { } refusal) return Answers.Error(refusal, "forbidden");
        if (operations.IsRunning(name)) return Answers.Busy(name, operations.Find(name));
        // Asked before the operation begins: the healthy device of this name must not be told as failed.
        if (state.Devices.Find(name) is not null) return Answers.Error($"a device named {name} exists already", "name_taken");
        if (!operations.TryBegin(name, OperationKind.Create, out var running)) return Answers.Busy(name, running);
        work.Start($"making {name}", async stop =>
        {
            if (await creation.RunAsync(wanted, stop).ConfigureAwait(false)) upkeep.Ask(name, TimeSpan.Zero);
        });
        var answer = new JsonObject { ["status"] = "creating", ["container_id"] = name, ["message"] = $"{name} is being created" };
        if (wanted.SerialPorts is { } ports) answer["serial_configs_count"] = ports.Count;
        return answer;
    }
}
