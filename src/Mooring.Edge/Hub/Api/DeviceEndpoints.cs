using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mooring.Edge.Hub.Api;

/// <summary><c>/api/orchestrators/{agent}/devices</c>: the runtimes at an agent.</summary>
internal static class DeviceEndpoints
{
    /// <summary>Body of a command to a runtime: programs of 50 MB, as Base64.</summary>
    public const long CommandBytesMax = 80_000_000;

    private const string DefaultPeriod = "1h";

    public static void Map(RouteGroupBuilder group)
    {
        group.MapGet("", List).For(HubRole.Viewer).WithSummary("Devices that were created through this hub.");
        group.MapPost("", Create).For(HubRole.Operator).WithSummary("Creates a runtime; wait, in seconds, holds the answer until it has ended.");
        group.MapGet("/{device}", Status).For(HubRole.Viewer).WithSummary("State, addresses and restarts of a device.");
        group.MapPatch("/{device}", Update).For(HubRole.Operator).WithSummary("Changes limits, interfaces, serial ports or runtime version of a device.");
        group.MapDelete("/{device}", Delete).For(HubRole.Operator).WithSummary("Deletes a device.");
        group.MapPost("/{device}/start", (HttpContext http, EdgeHub hub, string agent, string device) => Control(http, hub, agent, device, "start_device"))
            .For(HubRole.Operator).WithSummary("Starts a device.");
        group.MapPost("/{device}/stop", (HttpContext http, EdgeHub hub, string agent, string device) => Control(http, hub, agent, device, "stop_device"))
            .For(HubRole.Operator).WithSummary("Stops a device; it stays stopped.");
        group.MapPost("/{device}/restart", (HttpContext http, EdgeHub hub, string agent, string device) => Control(http, hub, agent, device, "restart_device"))
            .For(HubRole.Operator).WithSummary("Restarts a device.");
        group.MapGet("/{device}/consumption", Consumption).For(HubRole.Viewer).WithSummary("Load of a device over a period.");
        group.MapGet("/{device}/logs", Logs).For(HubRole.Viewer).WithSummary("The last lines of a device's log.");
        group.MapGet("/{device}/operation", Operation).For(HubRole.Viewer).WithSummary("The last operation on a device.");
        group.MapPost("/{device}/run-command", RunCommand).For(HubRole.Operator).TakesUpTo(CommandBytesMax)
            .WithSummary("Sends a request to the runtime in a device.");
        group.MapPost("/{device}/webrtc/{step:regex(^(offer|ice|disconnect)$)}", WebRtc).For(HubRole.Operator).WithSummary("Signalling between a browser and a device.");
        RuntimeProxy.Map(group);
    }

    /// <summary>The periods that the consumption topics demand, an hour unless told otherwise.</summary>
    public static JsonObject PeriodsOf(string? cpu, string? memory, int? maxPoints)
    {
        var periods = new JsonObject { ["cpuPeriod"] = cpu ?? DefaultPeriod, ["memoryPeriod"] = memory ?? DefaultPeriod };
        if (maxPoints is { } most) periods["max_points"] = most;
        return periods;
    }

    public static TimeSpan CommandTimeout(EdgeHub hub, JsonObject command)
    {
        // The agent's own time-out is to be heard, not ours.
        var own = command["timeout"] is JsonValue value && value.TryGetValue<double>(out var seconds) && double.IsFinite(seconds) ? seconds : 30;
        var wanted = TimeSpan.FromSeconds(Math.Clamp(own, 0, hub.Options.CallTimeoutMax.TotalSeconds)) + TimeSpan.FromSeconds(10);
        return wanted < hub.Options.CallTimeoutMax ? wanted : hub.Options.CallTimeoutMax;
    }

    private static async Task<IResult> List(EdgeHub hub, string agent, CancellationToken cancellationToken)
    {
        if (hub.Running.Registry.Find(agent) is null) return HubCall.NoSuchAgent(agent);
        var devices = await hub.Running.Store.DevicesAsync(agent, cancellationToken);
        IReadOnlyList<DeviceLine> lines = [.. devices.Select(d => new DeviceLine(d.Device, d.CreatedAt))];
        return TypedResults.Ok(lines);
    }

    private static async Task<IResult> Create(HttpContext http, EdgeHub hub, string agent, double? wait, JsonObject specification)
    {
        if (specification["container_name"] is not JsonValue value || !value.TryGetValue<string>(out var device) || device.Length == 0)
            return HubCall.Problem(400, "container_name: must be given, a text");
        return await HubCall.BeginAsync(http, hub, agent, device, "create_new_runtime", specification, wait, () =>
            hub.Running.Store.SaveDeviceAsync(agent, device, specification.ToJsonString(), http.RequestServices.Clock().GetUtcNow(), CancellationToken.None));
    }

    private static Task<IResult> Status(EdgeHub hub, string agent, string device, double? timeout, CancellationToken cancellationToken) =>
        HubCall.AskAsync(hub, agent, "get_device_status", new JsonObject { ["device_id"] = device }, timeout, cancellationToken);

    private static Task<IResult> Update(HttpContext http, EdgeHub hub, string agent, string device, double? wait, JsonObject change)
    {
        change["device_id"] = device;
        return HubCall.BeginAsync(http, hub, agent, device, "update_device", change, wait, () =>
            DesiredEndpoints.MergeAsync(hub, agent, device, change, http.RequestServices.Clock().GetUtcNow()));
    }

    private static Task<IResult> Delete(HttpContext http, EdgeHub hub, string agent, string device, double? wait) =>
        HubCall.BeginAsync(http, hub, agent, device, "delete_device", new JsonObject { ["device_id"] = device }, wait);

    private static async Task<IResult> Control(HttpContext http, EdgeHub hub, string agent, string device, string topic) =>
        new AgentResult(await HubCall.DoAsync(http, hub, agent, device, topic, new JsonObject { ["device_id"] = device }, null));

    private static Task<IResult> Consumption(
        EdgeHub hub, string agent, string device, string? cpuPeriod, string? memoryPeriod, int? max_points, double? timeout, CancellationToken cancellationToken)
    {
        var message = PeriodsOf(cpuPeriod, memoryPeriod, max_points);
        message["device_id"] = device;
        return HubCall.AskAsync(hub, agent, "get_consumption_device", message, timeout, cancellationToken);
    }

    private static Task<IResult> Logs(EdgeHub hub, string agent, string device, int? tail, double? timeout, CancellationToken cancellationToken)
    {
        var message = new JsonObject { ["device_id"] = device };
        if (tail is { } lines) message["tail"] = lines;
        return HubCall.AskAsync(hub, agent, "get_logs", message, timeout, cancellationToken);
    }

    private static IResult Operation(EdgeHub hub, string agent, string device) =>
        hub.Running.Operations.Of(agent).FirstOrDefault(o => o.Device == device) is { } operation
            ? TypedResults.Ok(operation)
            : HubCall.Problem(404, $"nothing was done with device '{device}' of agent '{agent}'");

    private static async Task<IResult> RunCommand(HttpContext http, EdgeHub hub, string agent, string device, JsonObject command)
    {
        command["device_id"] = device;
        var what = $"run_command {command["method"]} {command["api"]}";
        return new AgentResult(await HubCall.DoAsync(http, hub, agent, device, "run_command", command, CommandTimeout(hub, command), what));
    }

    private static async Task<IResult> WebRtc(HttpContext http, EdgeHub hub, string agent, string device, string step, JsonObject message)
    {
        message["device_id"] = device;
        return new AgentResult(await HubCall.DoAsync(http, hub, agent, device, "webrtc:" + step, message, null));
    }
}
