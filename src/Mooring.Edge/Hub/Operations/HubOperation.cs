namespace Mooring.Edge.Hub.Operations;

/// <summary>Work that an agent was given and that takes longer than its answer.</summary>
/// <param name="Id">Number of the call that began it.</param>
/// <param name="Agent">Who works on it.</param>
/// <param name="Device">What it is about.</param>
/// <param name="Topic">What was asked for.</param>
/// <param name="State">Where it is.</param>
/// <param name="Step">The agent's word for what it does now, or did last.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="UpdatedAt">When any of this changed last.</param>
internal sealed record HubOperation(
    long Id, string Agent, string Device, string Topic, OperationState State, string? Step, string? Error, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt)
{
    public bool HasEnded => State != OperationState.Running;
}
