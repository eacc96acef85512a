using Mooring.Edge.Hub;
using Mooring.Fleet;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>What commands in a room ask for. A system that is no part of this process is null.</summary>
internal interface IBridgedSystems
{
    IEnumerable<CarGlance>? Cars { get; }

    IEnumerable<AgentGlance>? Agents { get; }

    IEnumerable<TunnelGlance>? Tunnels { get; }

    /// <summary>Restarts a runtime for somebody who may.</summary>
    Task<string> RestartRuntimeAsync(string name, string who, CancellationToken cancellationToken);
}
