using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mooring.Edge.Agent.Topics;

/// <summary>Remembers what a hub asked for and what came of it.</summary>
internal interface ITopicAudit
{
    /// <summary>A request was answered.</summary>
    /// <param name="topic">Its name.</param>
    /// <param name="message">What was sent.</param>
    /// <param name="answer">What was answered.</param>
    /// <param name="took">How long it took.</param>
    void Record(string topic, JsonElement message, JsonObject answer, TimeSpan took);
}
