namespace Mooring.Edge.Hub;

/// <summary>Something that an agent was told to do, at one moment.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Agent">Who does it.</param>
/// <param name="Device">What it is about.</param>
/// <param name="Topic">What was asked for.</param>
/// <param name="State"><c>running</c>, <c>succeeded</c> or <c>failed</c>.</param>
/// <param name="Step">What is being done now, or was done last.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="UpdatedAt">When it changed last.</param>
public sealed record OperationGlance(
    long Id, string Agent, string Device, string Topic, string State, string? Step, string? Error, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt);
