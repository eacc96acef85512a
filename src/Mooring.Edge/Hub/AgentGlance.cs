namespace Mooring.Edge.Hub;

/// <summary>An agent at one moment, small enough to be asked for five thousand of them several times a second.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Presence"><c>online</c>, <c>stale</c> or <c>offline</c>.</param>
/// <param name="Load">What its last heartbeat said; null when there was none.</param>
public readonly record struct AgentGlance(string Id, string Name, string Presence, AgentLoad? Load);
