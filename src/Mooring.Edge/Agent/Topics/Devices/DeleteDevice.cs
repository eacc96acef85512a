using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>Removes a device. Answered at once; how far it is tells <see cref="GetDeviceStatus"/>.</summary>
internal sealed class DeleteDevice(AgentWork work, AgentState state, OperationTable operations, DeviceDeletion deletion) : ITopic
{
    public string Name => "delete_device";

    public Contract Contract { get; } = Contract.Request.Required("device_id", ContractType.ContainerName);

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) => Task.FromResult(Begin(request.DeviceId));

    private JsonObject Begin(string device)
    {
        if (!state.IsRegistryKnown)
            return Answers.Error($"the registry of devices ({state.Devices.FilePath}) was lost: nothing is removed before it is repaired", "registry_lost");
        if (!operations.TryBegin(device, OperationKind.Delete, out var running)) return Answers.Busy(device, running);
        work.Start($"removing {device}", stop => RemoveAsync(device, stop));
        return new JsonObject { ["status"] = "deleting", ["device_id"] = device, ["message"] = $"{device} is being deleted" };
    }

    // A name that is not a device's is accepted, as it always was; but a container that somebody else made is left alone.
    private async Task RemoveAsync(string device, CancellationToken cancellationToken)
    {
        if (state.Devices.Find(device) is null) operations.Clear(device);
        else await deletion.RunAsync(device, cancellationToken).ConfigureAwait(false);
    }
}
