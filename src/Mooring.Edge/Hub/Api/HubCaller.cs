namespace Mooring.Edge.Hub.Api;

/// <summary>Who uses the API.</summary>
/// <param name="Name">For the audit log.</param>
/// <param name="Role">What may be done.</param>
/// <param name="Agents">To which agents; empty for all.</param>
internal sealed record HubCaller(string Name, HubRole Role, IReadOnlyList<string> Agents)
{
    public bool MaySee(string agent) => Agents.Count == 0 || Agents.Contains(agent);
}
