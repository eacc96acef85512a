using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>Which versions of agent and network monitor run, and the agent's image when it runs in a container.</summary>
internal sealed class GetOrchestratorVersion(AgentOptions options, EngineClient engine, EngineSelf self) : ITopic
{
    private const string Unknown = "unknown";
    private const string VersionVariable = "AGENT_VERSION=";

    public string Name => "get_orchestrator_version";

    public Contract Contract => Contract.Request;

    public async Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var monitor = await engine.InspectContainerAsync(OrchestratorContainers.Monitor, cancellationToken).ConfigureAwait(false);
        var agent = await self.FindAsync(cancellationToken).ConfigureAwait(false) is { } id
            ? await engine.InspectContainerAsync(id, cancellationToken).ConfigureAwait(false) : null;
        var answer = Answers.Success();
        answer["orchestrator_version"] = options.Version;
        answer["netmon_version"] = VersionOf(monitor) ?? Unknown;
        answer["orchestrator_image_id"] = agent?.Image ?? Unknown;
        return answer;
    }

    private static string? VersionOf(ContainerDetails? container) =>
        container?.Config?.Env?.FirstOrDefault(v => v.StartsWith(VersionVariable, StringComparison.Ordinal))?[VersionVariable.Length..];
}
