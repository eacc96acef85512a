namespace Mooring.Edge.Agent;

/// <summary>Who this agent is: the common name of its certificate.</summary>
/// <param name="Id">Such as <c>07048933</c>.</param>
internal sealed record AgentIdentity(string Id);
