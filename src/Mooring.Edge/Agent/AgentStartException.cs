namespace Mooring.Edge.Agent;

/// <summary>The agent cannot start as it is configured.</summary>
/// <param name="message">What is wrong, and where.</param>
public sealed class AgentStartException(string message) : Exception(message);
