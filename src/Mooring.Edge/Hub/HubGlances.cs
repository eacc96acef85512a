using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Mooring.Edge.Hub.Agents;
using Mooring.Kernel.Clocks;

namespace Mooring.Edge.Hub;

/// <summary>What operators see of a hub at a glance.</summary>
public static class HubGlances
{
    /// <summary>All agents.</summary>
    /// <param name="services">The services of the application that the hub runs in.</param>
    public static IEnumerable<AgentGlance> EdgeAgents(this IServiceProvider services)
    {
        var now = services.GetRequiredService<TimeProvider>().Steady();
        return services.GetRequiredService<EdgeHub>().Running.Registry.All.Select(entry => new AgentGlance(
            entry.Record.Id, entry.Record.Name, entry.PresenceAt(now) switch
            {
                Presence.Online => "online",
                Presence.Stale => "stale",
                _ => "offline",
            }, entry.LastBeat?.Load));
    }

    /// <summary>What agents are doing, or did last.</summary>
    /// <param name="services">The services of the application that the hub runs in.</param>
    public static IEnumerable<OperationGlance> EdgeOperations(this IServiceProvider services) =>
        services.GetRequiredService<EdgeHub>().Running.Operations.All.Select(o => new OperationGlance(
            o.Id, o.Agent, o.Device, o.Topic, o.State.ToString().ToLowerInvariant(), o.Step, o.Error, o.StartedAt, o.UpdatedAt));

    /// <summary>Reads a heartbeat; what is missing in it is zero.</summary>
    internal static AgentLoad LoadOf(byte[] beat)
    {
        using var json = JsonDocument.Parse(beat);
        var root = json.RootElement;
        return new AgentLoad(
            root.TryGetProperty("agent_version", out var version) && version.ValueKind == JsonValueKind.String ? version.GetString() : null,
            Number(root, "cpu_usage"), Number(root, "memory_usage"), Number(root, "memory_total"), Number(root, "disk_usage"), Number(root, "disk_total"));
    }

    private static double Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? Math.Round(number, 1)
            : 0;
}
