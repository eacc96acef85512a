using System.Text.Json.Nodes;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>Calls the REST API of a device's runtime, as if the hub stood next to it.</summary>
internal sealed class RunCommand(AgentState state, RuntimeCaller caller) : ITopic
{
    public string Name => "run_command";

    public Contract Contract => RuntimeCall.Contract;

    public async Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var device = request.DeviceId;
        if (state.Devices.Find(device) is not { Ip: var address }) return Answers.UnknownDevice(device);
        if (address is not { Length: > 0 }) return RuntimeCaller.Failed(500, $"{device} has no address on its private network yet");
        if (!RuntimeCall.TryRead(request, out var call, out var error)) return RuntimeCaller.Failed(400, error!);
        return await caller.CallAsync(device, address, call, cancellationToken).ConfigureAwait(false);
    }
}
