using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.SocketIO;

namespace Mooring.Edge.Hub.Agents;

/// <summary>Calls the topics of agents, and says in HTTP's terms what came of it.</summary>
internal sealed class AgentCalls(AgentRegistry registry, NumberSource numbers, HubOptions options, HubMetrics metrics, TimeProvider time)
{
    private static readonly string[] ContractPrefixes = ["Missing required field:", "Invalid field type:", "Validation error:"];

    /// <summary>Calls a topic and waits for the answer.</summary>
    /// <param name="agent">Whose.</param>
    /// <param name="topic">Which.</param>
    /// <param name="message">Its fields; null for none. The common ones are added.</param>
    /// <param name="timeout">How long to wait; null for the hub's own.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<CallOutcome> CallAsync(
        string agent, string topic, JsonObject? message, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (registry.Find(agent) is not { } entry) return Failed(404, $"there is no agent '{agent}'");
        if (entry.Record.ClaimedAt is null) return Failed(409, $"agent '{agent}' was not claimed yet");
        if (entry.Socket is not { } socket) return Failed(503, $"agent '{agent}' is not connected");
        if (!entry.TryBeginCall(options.Limits.CallsMax))
            return Failed(429, $"{options.Limits.CallsMax} calls to agent '{agent}' are in flight already");
        try
        {
            var begun = time.GetTimestamp();
            using var span = HubTracing.BeginCall(agent, topic);
            var id = await numbers.NextAsync(cancellationToken);
            var arguments = new SocketIOArguments().Add(Complete(message, topic, id), HubJson.Default.JsonObject);
            var outcome = await CallAsync(socket, agent, topic, arguments, id, timeout ?? options.CallTimeout, cancellationToken);
            HubTracing.Describe(span, outcome);
            metrics.Called(topic, outcome.Status, time.GetElapsedTime(begun));
            return outcome;
        }
        finally
        {
            entry.EndCall();
        }
    }

    private static async Task<CallOutcome> CallAsync(
        SocketIOServerSocket socket, string agent, string topic, SocketIOArguments arguments, long id, TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        SocketIOReply reply;
        try
        {
            reply = await socket.CallAsync(topic, arguments, timeout, cancellationToken);
        }
        catch (SocketIOCallException e)
        {
            return e.Error switch
            {
                SocketIOCallError.TimedOut => Failed(504, $"agent '{agent}' gave no answer to {topic} within {timeout.TotalSeconds:0.###} s; the outcome is unknown", id),
                SocketIOCallError.ConnectionLost => Failed(502, $"the connection to agent '{agent}' ended before its answer to {topic}; the outcome is unknown", id),
                SocketIOCallError.TooManyCalls => Failed(429, $"too many calls to agent '{agent}' are in flight already", id),
                _ => Failed(503, $"agent '{agent}' is not connected", id),
            };
        }
        // Earlier agents acknowledge what they do not know with nothing.
        if (reply.Count == 0) return Failed(501, $"agent '{agent}' does not know the topic {topic}", id);
        var answer = reply.GetElement(0);
        if (answer.ValueKind != JsonValueKind.Object) return Failed(502, $"agent '{agent}' answered {topic} with something that is no object", id);
        if (answer.TryGetProperty("correlation_id", out var echoed) && echoed.ValueKind == JsonValueKind.Number
            && !(echoed.TryGetDouble(out var number) && number == id))
            return Failed(502, $"agent '{agent}' answered another call than this one", id);
        return Judge(topic, answer, id);
    }

    /// <summary>What an answer means for an operator's request.</summary>
    internal static CallOutcome Judge(string topic, JsonElement answer, long id)
    {
        var outcome = new CallOutcome(200, null, answer, id);
        var status = outcome.Text("status");
        // Somebody behind the agent has answered: that is what was asked for, whatever it says.
        if (answer.TryGetProperty("http_response", out _)) return outcome;
        if (status == "not_found") return outcome with { Status = 404, Error = outcome.Text("message") ?? "there is no such device" };
        if (status != "error") return outcome;
        // A device whose last operation failed is told about with the same word; the question was answered.
        if (topic == "get_device_status" && answer.TryGetProperty("operation", out _)) return outcome;
        var error = outcome.Text("error") ?? outcome.Text("message") ?? "the agent reports an error without a text";
        return outcome with { Status = StatusOf(error, outcome.Text("error_code")), Error = error };
    }

    private static int StatusOf(string error, string? code) => code switch
    {
        "operation_in_progress" => 409,
        "not_found" => 404,
        "forbidden" => 403,
        "name_taken" => 409,
        "missing_field" or "validation_error" or "invalid_type" or "invalid_value" => 400,
        _ when ContractPrefixes.Any(p => error.StartsWith(p, StringComparison.Ordinal)) => 400,
        // Earlier agents have words only.
        _ when error.Contains("in progress", StringComparison.OrdinalIgnoreCase) => 409,
        _ when error.Contains("not found", StringComparison.OrdinalIgnoreCase) => 404,
        _ => 502,
    };

    private JsonObject Complete(JsonObject? message, string topic, long id)
    {
        var complete = message is null ? [] : (JsonObject)message.DeepClone();
        complete["correlation_id"] = id;
        complete["action"] = topic;
        if (!complete.ContainsKey("requested_at")) complete["requested_at"] = time.GetUtcNow().UtcDateTime.ToString("O");
        return complete;
    }

    private static CallOutcome Failed(int status, string error, long id = 0) => new(status, error, default, id);
}
