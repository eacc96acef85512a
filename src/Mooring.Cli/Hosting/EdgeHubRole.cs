using System.Net;
using Mooring.Edge.Hub;

namespace Mooring.Cli.Hosting;

/// <summary>The hub as a part of a host.</summary>
internal static class EdgeHubRole
{
    /// <returns>Tells where agents connect to, once the host has started.</returns>
    internal static Func<IPEndPoint> AddTo(MooringHost host, HubOptions options, string portOption)
    {
        host.Announce(new Listener("hub for agents", options.Agents, portOption));
        var agents = host.Builder.AddEdgeHub(options);
        host.Services.AddSingleton(services => new Readiness("hub", services.ProblemOfEdgeHub));
        return agents;
    }

    internal static void Describe(HubOptions options, IPEndPoint agents, string http, AddressTable table)
    {
        var data = Path.GetDirectoryName(options.Folder);
        table.Add("hub for agents", $"https://{agents}", $"./mooring hub enroll ID{(data is null or "mooring-data" ? "" : $" --data {data}")}");
        table.Add("hub API", $"{http}/api/orchestrators", $"curl {http}/api/orchestrators");
    }
}
