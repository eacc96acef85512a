using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>Starts, stops or restarts a device: one topic for each, with one way of answering.</summary>
/// <param name="name">Name of the topic.</param>
/// <param name="kind">What it does.</param>
/// <param name="state">The registry.</param>
/// <param name="control">Does it.</param>
/// <param name="outbox">The first agents answered with an event of the topic's name; hubs of that time wait for it.</param>
internal sealed class ControlDevice(string name, OperationKind kind, AgentState state, DeviceControl control, IHubOutbox outbox) : ITopic
{
    public string Name => name;

    public Contract Contract => Contract.DeviceRequest;

    public async Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var device = request.DeviceId;
        var answer = await RunAsync(device, cancellationToken).ConfigureAwait(false);
        answer["device_id"] = device;
        outbox.Emit(name, new JsonObject
        {
            ["action"] = name,
            ["success"] = (string?)answer["status"] == "success",
            ["correlation_id"] = request.Find("correlation_id") is { } id ? JsonNode.Parse(id.GetRawText()) : null,
        });
        return answer;
    }

    private async Task<JsonObject> RunAsync(string device, CancellationToken cancellationToken)
    {
        if (state.Devices.Find(device) is null) return Answers.UnknownDevice(device);
        try
        {
            // What was begun is done, even when the hub that asked is gone meanwhile.
            var container = await control.RunAsync(device, kind, CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
            var answer = Answers.Success();
            answer["container_status"] = container;
            return answer;
        }
        catch (DeviceBusyException e)
        {
            return Answers.Busy(device, e.Running);
        }
    }
}
