using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Edge.Hub.Desired;

namespace Mooring.Edge.Hub.Api;

/// <summary><c>/api/orchestrators/{agent}/...</c>: how devices are wanted, and how they differ from that.</summary>
internal static class DesiredEndpoints
{
    private static readonly string[] Changeable = ["vnic_configs", "serial_configs", "resources"];

    public static void Map(RouteGroupBuilder group)
    {
        group.MapGet("/{agent}/drift", Drift).For(HubRole.Viewer).WithSummary("Devices that are not as they were created or changed through this hub; looks anew.");
        group.MapGet("/{agent}/devices/{device}/specification", Specification).For(HubRole.Viewer).WithSummary("How a device was wanted.");
        group.MapPost("/{agent}/devices/{device}/apply", Apply).For(HubRole.Operator)
            .WithSummary("Makes a device as it was wanted: creates it when it is not there, changes it when it is.");
    }

    /// <summary>A stored specification with a change in it.</summary>
    public static async Task MergeAsync(EdgeHub hub, string agent, string device, JsonObject change, DateTimeOffset now)
    {
        if (await FindAsync(hub, agent, device, CancellationToken.None) is not { } wanted) return;
        foreach (var (name, value) in change)
            if (name is "runtime_version" || Changeable.Contains(name)) wanted[name] = value?.DeepClone();
        await hub.Running.Store.SaveDeviceAsync(agent, device, wanted.ToJsonString(), now, CancellationToken.None);
    }

    private static async Task<IResult> Drift(EdgeHub hub, string agent, CancellationToken cancellationToken)
    {
        if (hub.Running.Registry.Find(agent) is null) return HubCall.NoSuchAgent(agent);
        await hub.Running.Desired.LookAsync(agent, cancellationToken);
        return TypedResults.Ok(hub.Running.Desired.Of(agent));
    }

    private static async Task<IResult> Specification(EdgeHub hub, string agent, string device, CancellationToken cancellationToken) =>
        await FindAsync(hub, agent, device, cancellationToken) is { } wanted ? TypedResults.Ok(wanted) : NotKnown(agent, device);

    private static async Task<IResult> Apply(HttpContext http, EdgeHub hub, string agent, string device, double? wait)
    {
        if (await FindAsync(hub, agent, device, http.RequestAborted) is not { } wanted) return NotKnown(agent, device);
        var status = await hub.Running.Calls.CallAsync(agent, "get_device_status", new JsonObject { ["device_id"] = device }, null, http.RequestAborted);
        if (DeviceDrift.Compare(wanted, status) is not { } differences) return new AgentResult(status);
        if (differences.Contains(DeviceDrift.Missing)) return await HubCall.BeginAsync(http, hub, agent, device, "create_new_runtime", wanted, wait);
        var change = new JsonObject { ["device_id"] = device };
        foreach (var name in Changeable)
            if (wanted[name] is { } value) change[name] = value.DeepClone();
        return await HubCall.BeginAsync(http, hub, agent, device, "update_device", change, wait);
    }

    private static async Task<JsonObject?> FindAsync(EdgeHub hub, string agent, string device, CancellationToken cancellationToken)
    {
        var all = await hub.Running.Store.SpecificationsAsync(agent, cancellationToken);
        return all.Where(wanted => wanted.Device == device).Select(wanted => DesiredState.Parse(wanted.Specification)).FirstOrDefault();
    }

    private static IResult NotKnown(string agent, string device) => HubCall.Problem(404, $"device '{device}' of agent '{agent}' was not created through this hub");
}
