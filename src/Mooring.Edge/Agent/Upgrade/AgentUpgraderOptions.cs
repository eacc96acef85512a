namespace Mooring.Edge.Agent.Upgrade;

/// <summary>What the one-shot container that replaces an agent is told, by its environment.</summary>
public sealed record AgentUpgraderOptions
{
    /// <summary>Container of the agent.</summary>
    public required string Container { get; init; }

    /// <summary>Image of the new agent; the engine has it.</summary>
    public required string Image { get; init; }

    /// <summary>The volume that agents share with it.</summary>
    public string DataFolder { get; init; } = "/var/orchestrator";

    /// <summary>The container engine's Unix socket.</summary>
    public string EngineSocket { get; init; } = "/var/run/docker.sock";

    /// <summary>For the old agent to answer the hub before it is stopped. Default 3 s.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the new agent has until a hub lets it in; then the old one is put back. Default 120 s.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Reads the environment.</summary>
    /// <returns>The options; null when this process is no upgrader.</returns>
    /// <exception cref="AgentStartException">It is one, and is not told what to replace.</exception>
    public static AgentUpgraderOptions? FromEnvironment()
    {
        if (!string.Equals(Environment.GetEnvironmentVariable("UPGRADE_MODE"), "true", StringComparison.OrdinalIgnoreCase)) return null;
        return Environment.GetEnvironmentVariable("TARGET_CONTAINER") is { Length: > 0 } container && Environment.GetEnvironmentVariable("NEW_IMAGE") is { Length: > 0 } image
            ? new AgentUpgraderOptions { Container = container, Image = image }
            : throw new AgentStartException("UPGRADE_MODE is set: TARGET_CONTAINER and NEW_IMAGE must be too");
    }
}
