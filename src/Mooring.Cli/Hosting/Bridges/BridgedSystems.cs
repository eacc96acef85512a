using Mooring.Cli.Access;
using Mooring.Edge.Hub;
using Mooring.Fleet;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>The systems of this process, as commands in a room see them.</summary>
internal sealed class BridgedSystems(IServiceProvider services, bool hasHub) : IBridgedSystems
{
    private const string From = "chat";

    private readonly FleetServer? _fleet = services.GetService<FleetServer>();
    private readonly TunnelServer? _tunnel = services.GetService<TunnelServer>();

    public IEnumerable<CarGlance>? Cars => _fleet?.Cars;

    public IEnumerable<AgentGlance>? Agents => HasHub ? services.EdgeAgents() : null;

    public IEnumerable<TunnelGlance>? Tunnels => _tunnel?.Tunnels;

    private bool HasHub => hasHub && services.ProblemOfEdgeHub() is null;

    public async Task<string> RestartRuntimeAsync(string name, string who, CancellationToken cancellationToken)
    {
        if (!HasHub) return "the hub is not a part of this process";
        var time = services.GetRequiredService<TimeProvider>();
        var begun = time.GetTimestamp();
        var (isDone, text) = await services.RestartRuntimeAsync(name, who, From, cancellationToken);
        await services.GetRequiredService<AuditLog>().NoteAsync(
            who, "chat account", From, $"/runtime {name} restart", isDone ? "done" : text, time.GetElapsedTime(begun));
        return text;
    }
}
