using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Policy;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>Changes a device. Answered at once; how far it is tells <see cref="GetDeviceStatus"/>.</summary>
internal sealed class UpdateDevice(AgentWork work, AgentPolicy policy, AgentState state, OperationTable operations, DeviceUpdate update) : ITopic
{
    public string Name => "update_device";

    public Contract Contract => DeviceSpecification.ChangeContract;

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) => Task.FromResult(Begin(request));

    private JsonObject Begin(TopicRequest request)
    {
        var change = DeviceSpecification.ReadChange(request);
        var device = change.Device;
        if (state.Devices.Find(device) is null) return Answers.UnknownDevice(device);
        if (change.IsEmpty) return Answers.Error("nothing is to be changed: give runtime_version, resources, vnic_configs or serial_configs", "validation_error");
        if (policy.Refusal(change) is { } refusal) return Answers.Error(refusal, "forbidden");
        if (!operations.TryBegin(device, OperationKind.Update, out var running)) return Answers.Busy(device, running);
        work.Start($"changing {device}", stop => update.RunAsync(change, stop));
        return new JsonObject { ["status"] = "updating", ["device_id"] = device, ["message"] = $"{device} is being updated" };
    }
}
