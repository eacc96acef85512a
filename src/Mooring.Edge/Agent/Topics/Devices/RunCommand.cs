using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Debugging;
using Mooring.Edge.Agent.Policy;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>Calls the REST API of a device's runtime, as if the hub stood next to it.</summary>
internal sealed class RunCommand(AgentState state, AgentPolicy policy, RuntimeCaller caller, DebugSessions debugging) : ITopic
{
    /// <summary>The path that is no path of a runtime: it stands for its debugger.</summary>
    private const string DebugApi = "debug";

    public string Name => "run_command";

    public Contract Contract => RuntimeCall.Contract;

    public async Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var device = request.DeviceId;
        if (state.Devices.Find(device) is not { Ip: var address }) return Answers.UnknownDevice(device);
        if (address is not { Length: > 0 }) return RuntimeCaller.Failed(500, $"{device} has no address on its private network yet");
        if (request.Text("api") == DebugApi) return await DebugAsync(device, address, request, cancellationToken).ConfigureAwait(false);
        if (!RuntimeCall.TryRead(request, out var call, out var error)) return RuntimeCaller.Failed(400, error!);
        if (policy.Refusal(call) is { } refusal) return RuntimeCaller.Failed(403, refusal);
        return await caller.CallAsync(device, address, call, cancellationToken).ConfigureAwait(false);
    }

    private async Task<JsonObject> DebugAsync(string device, string address, TopicRequest request, CancellationToken cancellationToken)
    {
        var answer = Answers.Success();
        answer["debug_response"] = policy.RefusalOfPath(DebugApi) is { } refusal
            ? new JsonObject { ["type"] = "debug_error", ["error"] = refusal }
            : await debugging.AnswerAsync(device, address, (int)(request.Number("port") ?? RuntimeCall.SecurePort), request.Find("data") ?? default, cancellationToken)
                .ConfigureAwait(false);
        return answer;
    }
}
