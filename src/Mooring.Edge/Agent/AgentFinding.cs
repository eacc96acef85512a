namespace Mooring.Edge.Agent;

/// <summary>One thing that an agent needs, as it is on this machine.</summary>
/// <param name="IsGood">Whether an agent can run with it.</param>
/// <param name="Text">What it is, or what is wrong with it.</param>
public sealed record AgentFinding(bool IsGood, string Text);
