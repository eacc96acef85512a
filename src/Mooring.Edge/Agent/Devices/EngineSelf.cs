using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Finds the agent's own container, and makes it a neighbour of its devices.</summary>
/// <param name="engine">The engine.</param>
/// <param name="names">Names under which the container may be known, the likeliest first.</param>
internal sealed class EngineSelf(EngineClient engine, IReadOnlyList<string> names)
{
    /// <summary>The names that a container's environment gives it.</summary>
    public static IReadOnlyList<string> NamesOfThisProcess() =>
    [
        .. new[] { Environment.GetEnvironmentVariable("HOSTNAME"), Environment.MachineName, Environment.GetEnvironmentVariable("HOST_NAME") }
            .Where(name => !string.IsNullOrWhiteSpace(name)).Select(name => name!).Distinct(StringComparer.Ordinal),
    ];

    /// <summary>The agent's container.</summary>
    /// <returns>Its id; null when the agent runs on the host itself, which is a neighbour of every device anyway.</returns>
    public async Task<string?> FindAsync(CancellationToken cancellationToken)
    {
        foreach (var name in names)
            if (await engine.InspectContainerAsync(name, cancellationToken).ConfigureAwait(false) is { State.Running: true } found) return found.Id;
        var containers = await engine.ListContainersAsync(cancellationToken).ConfigureAwait(false);
        return containers.FirstOrDefault(c => c.State == "running" && c.Labels?.GetValueOrDefault(DeviceContainer.RoleLabel) == DeviceContainer.AgentRole)?.Id;
    }

    /// <summary>Joins the private network of a device; being in it already is as good.</summary>
    public async Task JoinAsync(string device, CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken).ConfigureAwait(false) is not { } self) return;
        try
        {
            await engine.ConnectNetworkAsync(InternalNetworks.NameOf(device), self, endpoint: null, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e) when (e.Message.Contains("already", StringComparison.OrdinalIgnoreCase))
        {
            // It is what was wanted.
        }
    }
}
