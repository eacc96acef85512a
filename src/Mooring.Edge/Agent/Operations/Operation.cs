namespace Mooring.Edge.Agent.Operations;

/// <summary>Work on one device, running or failed. What succeeded leaves no operation behind.</summary>
/// <param name="Name">The device.</param>
/// <param name="Kind">What is being done.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="UpdatedAt">When it last came to a new step.</param>
internal sealed record Operation(string Name, OperationKind Kind, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>The reserved name of the agent itself.</summary>
    public const string Orchestrator = "__orchestrator__";

    /// <summary>How far it is, such as <c>pulling_image</c>; null before the first step.</summary>
    public string? Step { get; init; }

    /// <summary>Why it failed; null while it runs.</summary>
    public string? Error { get; init; }

    /// <summary>Progress of an image being pulled; null outside that step.</summary>
    public PullState? Pull { get; init; }

    /// <summary>Whether it failed.</summary>
    public bool HasFailed => Error is not null;

    /// <summary>The status that is told to a hub.</summary>
    public string Status => HasFailed ? "error" : Kind switch
    {
        OperationKind.Create => "creating",
        OperationKind.Delete => "deleting",
        OperationKind.Upgrade => "upgrading",
        OperationKind.Start => "starting",
        OperationKind.Stop => "stopping",
        OperationKind.Restart => "restarting",
        OperationKind.Update => "updating",
        _ => "error",
    };

    /// <summary>The word for its kind that is told to a hub.</summary>
    public string Word => WordOf(Kind);

    /// <summary>The word for a kind that is told to a hub.</summary>
    public static string WordOf(OperationKind kind) => kind switch
    {
        OperationKind.Create => "create",
        OperationKind.Delete => "delete",
        OperationKind.Upgrade => "upgrade",
        OperationKind.Start => "start",
        OperationKind.Stop => "stop",
        OperationKind.Restart => "restart",
        OperationKind.Update => "update",
        _ => "unknown",
    };
}

/// <summary>How much of an image has arrived.</summary>
/// <param name="LayersDone">Layers that are complete.</param>
/// <param name="LayersTotal">Layers that are known.</param>
/// <param name="Bytes">Bytes received.</param>
internal sealed record PullState(int LayersDone, int LayersTotal, long Bytes);
