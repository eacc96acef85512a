using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Enrolment;
using Mooring.Edge.Hub.Operations;
using Mooring.Kernel.Clocks;

namespace Mooring.Edge.Hub.Api;

/// <summary><c>/api/orchestrators</c>: agents as the hub knows them, and the topics that concern a whole machine.</summary>
internal static class OrchestratorEndpoints
{
    private const int BeatsMax = 10_000;

    public static void Map(RouteGroupBuilder group)
    {
        group.MapGet("", List).For(HubRole.Viewer).WithSummary("All agents, with their presence.");
        group.MapPost("", Enrol).For(HubRole.Admin).WithSummary("Enrols an agent, or renews its certificate. The key is told once.");
        group.MapGet("/{agent}", Get).For(HubRole.Viewer).WithSummary("One agent with its last heartbeat.");
        group.MapPatch("/{agent}", Change).For(HubRole.Admin).WithSummary("Renames an agent.");
        group.MapDelete("/{agent}", Delete).For(HubRole.Admin)
            .WithSummary("Forgets an agent; with destroy=true its machine removes all devices and the agent itself first.");
        group.MapPost("/{agent}/claim", Claim).For(HubRole.Admin).WithSummary("Takes over an agent that asked for its certificate itself.");
        group.MapPost("/{agent}/revoke", Revoke).For(HubRole.Admin).WithSummary("Shuts an agent out until it is enrolled anew.");
        group.MapGet("/{agent}/history", History).For(HubRole.Viewer).WithSummary("Heartbeats of the past, one a minute, the newest first.");

        group.MapGet("/{agent}/status", Status).For(HubRole.Viewer).WithSummary("What the agent itself is doing: upgrading, removing itself.");
        group.MapGet("/{agent}/interfaces", Interfaces).For(HubRole.Viewer).WithSummary("Network interfaces of the machine.");
        group.MapGet("/{agent}/serial-devices", SerialDevices).For(HubRole.Viewer).WithSummary("Serial devices of the machine.");
        group.MapGet("/{agent}/consumption", Consumption).For(HubRole.Viewer).WithSummary("Load of the machine over a period.");
        group.MapGet("/{agent}/version", Version).For(HubRole.Viewer).WithSummary("Versions of agent and network monitor.");
        group.MapPost("/{agent}/upgrade", Upgrade).For(HubRole.Admin).WithSummary("Upgrades agent and network monitor.");
        group.MapPost("/{agent}/topics/{topic}", Topic).For(HubRole.Admin).TakesUpTo(DeviceEndpoints.CommandBytesMax)
            .WithSummary("Calls any topic with any message; timeout in seconds.");
        group.MapGet("/{agent}/operations", Operations).For(HubRole.Viewer).WithSummary("What the agent was told to do, the newest first.");
        group.MapGet("/{agent}/operations/{id:long}", Operation).For(HubRole.Viewer)
            .WithSummary("One operation; wait, in seconds, holds the answer until it has ended.");
    }

    private static IResult List(HttpContext http, EdgeHub hub)
    {
        var caller = http.Features.Get<HubCaller>()!;
        IReadOnlyList<AgentView> agents =
        [
            .. hub.Running.Registry.All.Where(e => caller.MaySee(e.Record.Id)).OrderBy(e => e.Record.Id, StringComparer.Ordinal).Select(e => ViewOf(http, e)),
        ];
        return TypedResults.Ok(agents);
    }

    private static IResult Get(HttpContext http, EdgeHub hub, string agent) =>
        hub.Running.Registry.Find(agent) is { } entry ? TypedResults.Ok(ViewOf(http, entry)) : HubCall.NoSuchAgent(agent);

    private static async Task<IResult> Enrol(HttpContext http, EdgeHub hub, EnrolRequest request)
    {
        var id = request.Id ?? AgentId.Fresh();
        if (!AgentId.IsGood(id)) return HubCall.Problem(400, $"id: '{id}' is not allowed: {AgentId.Rule}");
        var begun = http.RequestServices.Clock().GetTimestamp();
        var (record, certificate, key) = await hub.Running.Enrolments.IssueAsync(id, request.Name, http.RequestAborted);
        var entry = hub.Running.Registry.Note(record);
        await HubCall.NoteAsync(http, hub, id, null, "enrol", null, "done", begun);
        return TypedResults.Ok(new EnrolAnswer(ViewOf(http, entry), certificate, key, await File.ReadAllTextAsync(hub.Authority.AuthorityPath, http.RequestAborted)));
    }

    private static async Task<IResult> Change(HttpContext http, EdgeHub hub, string agent, AgentChange change)
    {
        if (change.Name is { Length: 0 or > 200 }) return HubCall.Problem(400, "name: use 1 to 200 characters");
        return await StoreAsync(http, hub, agent, "rename", change.Name is { } name ? token => hub.Running.Store.RenameAsync(agent, name, token) : _ => Task.FromResult(0));
    }

    private static Task<IResult> Claim(HttpContext http, EdgeHub hub, string agent) =>
        StoreAsync(http, hub, agent, "claim", token => hub.Running.Store.ClaimAsync(agent, http.RequestServices.Clock().GetUtcNow(), token));

    private static Task<IResult> Revoke(HttpContext http, EdgeHub hub, string agent) =>
        StoreAsync(http, hub, agent, "revoke", token => hub.Running.Store.RevokeAsync(agent, http.RequestServices.Clock().GetUtcNow(), token));

    private static async Task<IResult> Delete(HttpContext http, EdgeHub hub, string agent, bool? destroy, double? wait)
    {
        if (hub.Running.Registry.Find(agent) is null) return HubCall.NoSuchAgent(agent);
        if (destroy is true)
            return await HubCall.BeginAsync(http, hub, agent, OperationOutcome.Orchestrator, "delete_orchestrator", null, wait);
        var begun = http.RequestServices.Clock().GetTimestamp();
        await hub.Running.Store.RemoveAgentAsync(agent, http.RequestAborted);
        hub.Running.Registry.Forget(agent);
        await HubCall.NoteAsync(http, hub, agent, null, "remove", null, "done", begun);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> History(EdgeHub hub, string agent, DateTimeOffset? from, DateTimeOffset? to, int? most, CancellationToken cancellationToken)
    {
        if (hub.Running.Registry.Find(agent) is null) return HubCall.NoSuchAgent(agent);
        var beats = await hub.Running.Store.BeatsAsync(
            agent, from ?? DateTimeOffset.UnixEpoch, to ?? DateTimeOffset.MaxValue, Math.Clamp(most ?? 1_440, 1, BeatsMax), cancellationToken);
        IReadOnlyList<BeatLine> lines = [.. beats.Select(b => new BeatLine(b.At, Parse(b.Beat)))];
        return TypedResults.Ok(lines);
    }

    private static Task<IResult> Status(EdgeHub hub, string agent, double? timeout, CancellationToken cancellationToken) => HubCall.AskAsync(
        hub, agent, "get_device_status", new JsonObject { ["device_id"] = OperationOutcome.Orchestrator }, timeout, cancellationToken);

    private static Task<IResult> Interfaces(
        EdgeHub hub, string agent, bool? include_virtual, bool? detailed, double? timeout, CancellationToken cancellationToken) => HubCall.AskAsync(
        hub, agent, "get_host_interfaces", new JsonObject { ["include_virtual"] = include_virtual ?? false, ["detailed"] = detailed ?? true }, timeout,
        cancellationToken);

    private static Task<IResult> SerialDevices(EdgeHub hub, string agent, double? timeout, CancellationToken cancellationToken) =>
        HubCall.AskAsync(hub, agent, "get_serial_devices", null, timeout, cancellationToken);

    private static Task<IResult> Consumption(
        EdgeHub hub, string agent, string? cpuPeriod, string? memoryPeriod, int? max_points, double? timeout, CancellationToken cancellationToken) =>
        HubCall.AskAsync(
            hub, agent, "get_consumption_orchestrator", DeviceEndpoints.PeriodsOf(cpuPeriod, memoryPeriod, max_points), timeout, cancellationToken);

    private static Task<IResult> Version(EdgeHub hub, string agent, double? timeout, CancellationToken cancellationToken) =>
        HubCall.AskAsync(hub, agent, "get_orchestrator_version", null, timeout, cancellationToken);

    private static Task<IResult> Upgrade(HttpContext http, EdgeHub hub, string agent, double? wait, JsonObject? message = null) =>
        HubCall.BeginAsync(http, hub, agent, OperationOutcome.Orchestrator, "upgrade_orchestrator", message, wait);

    private static async Task<IResult> Topic(HttpContext http, EdgeHub hub, string agent, string topic, double? timeout, JsonObject? message = null) =>
        new AgentResult(await HubCall.DoAsync(http, hub, agent, null, topic, message, HubCall.TimeoutOf(hub, timeout)));

    private static IResult Operations(EdgeHub hub, string agent) =>
        hub.Running.Registry.Find(agent) is null ? HubCall.NoSuchAgent(agent) : TypedResults.Ok(hub.Running.Operations.Of(agent));

    private static async Task<IResult> Operation(EdgeHub hub, string agent, long id, double? wait, CancellationToken cancellationToken) =>
        await hub.Running.Operations.WaitAsync(agent, id, HubCall.WaitOf(wait), cancellationToken) is { } operation
            ? TypedResults.Ok(operation)
            : HubCall.Problem(404, $"agent '{agent}' has no operation {id}");

    private static async Task<IResult> StoreAsync(
        HttpContext http, EdgeHub hub, string agent, string action, Func<CancellationToken, Task<int>> write)
    {
        if (hub.Running.Registry.Find(agent) is null) return HubCall.NoSuchAgent(agent);
        var begun = http.RequestServices.Clock().GetTimestamp();
        await write(http.RequestAborted);
        if (await hub.Running.Store.AgentAsync(agent, http.RequestAborted) is not { } record) return HubCall.NoSuchAgent(agent);
        var entry = hub.Running.Registry.Note(record);
        await HubCall.NoteAsync(http, hub, agent, null, action, null, "done", begun);
        return TypedResults.Ok(ViewOf(http, entry));
    }

    private static AgentView ViewOf(HttpContext http, AgentEntry entry)
    {
        var (record, socket, beat) = (entry.Record, entry.Socket, entry.LastBeat);
        return new AgentView(
            record.Id, record.Name, entry.PresenceAt(http.RequestServices.Clock().Steady()), record.ClaimedAt is not null, record.RevokedAt is not null,
            record.NotAfter, record.Fingerprint, record.CreatedAt, socket is null ? null : entry.ConnectedAt, beat?.At ?? record.LastSeenAt,
            socket?.Handshake.RemoteEndPoint?.ToString(), socket?.Transport.ToString().ToLowerInvariant(), beat is null ? null : Parse(beat.Json));
    }

    private static JsonElement Parse(string json) => Parse(System.Text.Encoding.UTF8.GetBytes(json));

    private static JsonElement Parse(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        return JsonElement.ParseValue(ref reader);
    }
}
