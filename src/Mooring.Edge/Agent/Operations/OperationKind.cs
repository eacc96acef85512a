namespace Mooring.Edge.Agent.Operations;

/// <summary>What is being done to a device.</summary>
internal enum OperationKind
{
    /// <summary>Known only by its failure.</summary>
    Unknown,
    Create,
    Delete,
    Upgrade,
    Start,
    Stop,
    Restart,
    Update,
}
