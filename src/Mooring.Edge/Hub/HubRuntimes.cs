using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub;

/// <summary>What may be done with runtimes from within the program that the hub is a part of. Who may do it is for the caller to judge.</summary>
public static class HubRuntimes
{
    private const string Topic = "restart_device";

    /// <summary>Restarts a runtime, and notes it in the hub's audit log.</summary>
    /// <param name="services">The services of the application that the hub runs in.</param>
    /// <param name="name">The runtime: <c>DEVICE</c> when one agent only has it, or <c>AGENT/DEVICE</c>.</param>
    /// <param name="who">Who wants it, for the audit log.</param>
    /// <param name="from">From where.</param>
    /// <param name="cancellationToken">Gives up waiting for the agent.</param>
    /// <returns>Whether it went well, and what became of it in words.</returns>
    public static async Task<(bool IsDone, string Text)> RestartRuntimeAsync(
        this IServiceProvider services, string name, string who, string from, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        var hub = services.GetRequiredService<EdgeHub>().Running;
        var time = services.GetRequiredService<TimeProvider>();
        var (agents, device) = await FindAsync(hub, name, cancellationToken);
        if (agents.Count == 0) return (false, $"there is no runtime '{name}'");
        if (agents.Count > 1) return (false, $"{device} is at several agents: use {string.Join(" or ", agents.Select(agent => $"{agent}/{device}"))}");
        var begun = time.GetTimestamp();
        var outcome = await hub.Calls.CallAsync(agents[0], Topic, new JsonObject { ["device_id"] = device }, null, cancellationToken);
        var result = outcome.Error is null ? outcome.Text("status") ?? "answered" : $"{outcome.Status} {outcome.Error}";
        await hub.Store.SaveAuditAsync(
            new AuditEntry(time.GetUtcNow(), who, from, agents[0], device, Topic, outcome.CorrelationId, result, (long)time.GetElapsedTime(begun).TotalMilliseconds),
            CancellationToken.None);
        return outcome.IsGood ? (true, $"{device} at {agents[0]} restarts: {result}") : (false, outcome.Error!);
    }

    private static async Task<(List<string> Agents, string Device)> FindAsync(EdgeHub.Parts hub, string name, CancellationToken cancellationToken)
    {
        if (name.Split('/', 2) is [var agent, var device]) return (hub.Registry.Find(agent) is null ? [] : [agent], device);
        var found = new List<string>();
        foreach (var entry in hub.Registry.All)
            if ((await hub.Store.DevicesAsync(entry.Record.Id, cancellationToken)).Any(known => known.Device == name)) found.Add(entry.Record.Id);
        return (found, name);
    }
}
