using System.Text.Json.Nodes;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics;

/// <summary>One thing that a hub can ask for: a name, what its message must hold, and what answers it.</summary>
internal interface ITopic
{
    /// <summary>Name of the event.</summary>
    string Name { get; }

    /// <summary>What the message must hold.</summary>
    Contract Contract { get; }

    /// <summary>Answers a message that holds what it must. Runs beside other requests.</summary>
    /// <param name="request">The message.</param>
    /// <param name="cancellationToken">The connection ended, or the agent stops.</param>
    /// <returns>The answer; the envelope is added to it.</returns>
    Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken);
}
