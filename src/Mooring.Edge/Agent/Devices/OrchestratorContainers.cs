namespace Mooring.Edge.Agent.Devices;

/// <summary>Names of what the installer makes besides devices.</summary>
internal static class OrchestratorContainers
{
    /// <summary>The agent.</summary>
    public const string Agent = "orchestrator_agent";

    /// <summary>The network monitor.</summary>
    public const string Monitor = "autonomy_netmon";

    /// <summary>What replaces the agent by a newer one.</summary>
    public const string Upgrader = "orchestrator_upgrader";

    /// <summary>The volume that they share.</summary>
    public const string SharedVolume = "orchestrator-shared";
}
