using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Policy;

namespace Mooring.Edge.Agent.Topics;

/// <summary>
/// All topics by name. Whatever comes in, an answer goes out: an object with the topic and the number of the request, so that a hub never
/// waits for nothing.
/// </summary>
/// <param name="topics">The topics.</param>
/// <param name="policy">Which of them are answered here.</param>
/// <param name="audit">Told of every request.</param>
/// <param name="time">Measures how long a request took.</param>
/// <param name="logger">Told of what must not happen.</param>
internal sealed partial class TopicTable(IEnumerable<ITopic> topics, AgentPolicy policy, ITopicAudit audit, TimeProvider time, ILogger<TopicTable> logger)
{
    private readonly Dictionary<string, ITopic> _topics = topics.ToDictionary(topic => topic.Name, StringComparer.Ordinal);

    /// <summary>The names of all topics.</summary>
    public IReadOnlyCollection<string> Names => _topics.Keys;

    /// <summary>Answers a message.</summary>
    /// <param name="name">Name of the event.</param>
    /// <param name="message">Its first argument; undefined when there was none.</param>
    /// <param name="cancellationToken">The connection ended, or the agent stops.</param>
    public async Task<JsonObject> AnswerAsync(string name, JsonElement message, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var answer = await HandleAsync(name, message, cancellationToken).ConfigureAwait(false);
        answer.TryAdd("action", name);
        answer.TryAdd("correlation_id", CorrelationIdOf(message));
        audit.Record(name, message, answer, time.GetElapsedTime(began));
        return answer;
    }

    private async Task<JsonObject> HandleAsync(string name, JsonElement message, CancellationToken cancellationToken)
    {
        if (!_topics.TryGetValue(name, out var topic)) return Answers.Error($"this agent does not know the topic {name}", "unknown_topic");
        if (!policy.AllowsTopic(name)) return Answers.Error($"the policy of this machine does not allow the topic {name}", "forbidden");
        if (topic.Contract.Check(message, "") is { } error) return Answers.Invalid(error);
        try
        {
            return await topic.HandleAsync(new TopicRequest(message), cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e)
        {
            return Answers.Error(e.Message, e.IsUnavailable ? "engine_unavailable" : "engine_error");
        }
        catch (IOException e)
        {
            // A full disk, mostly: nothing was begun that could not be written down before.
            return Answers.Error($"the agent's files cannot be written: {e.Message}", "storage_error");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Answers.Error("the connection ended while the request was being handled", "cancelled");
        }
        catch (Exception e)
        {
            LogFailed(logger, name, e);
            return Answers.Error($"{name} failed inside the agent: {e.Message}", "internal_error");
        }
    }

    private static JsonNode? CorrelationIdOf(JsonElement message) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty("correlation_id", out var id) && id.ValueKind != JsonValueKind.Null
            ? JsonNode.Parse(id.GetRawText())
            : null;

    [LoggerMessage(7000, LogLevel.Error, "the topic {Topic} failed")]
    private static partial void LogFailed(ILogger logger, string topic, Exception exception);
}
