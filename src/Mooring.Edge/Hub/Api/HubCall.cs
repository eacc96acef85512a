using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub.Api;

/// <summary>What endpoints have in common: call a topic, note who did it, and follow what was begun.</summary>
internal static class HubCall
{
    /// <summary>Longest time that a request may wait for the end of an operation.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);

    /// <summary>A question: nothing is noted.</summary>
    public static async Task<IResult> AskAsync(
        EdgeHub hub, string agent, string topic, JsonObject? message, double? timeout, CancellationToken cancellationToken) =>
        new AgentResult(await hub.Running.Calls.CallAsync(agent, topic, message, TimeoutOf(hub, timeout), cancellationToken));

    /// <summary>A call that changes something, or may: it is noted who made it and what became of it.</summary>
    public static async Task<CallOutcome> DoAsync(
        HttpContext http, EdgeHub hub, string agent, string? device, string topic, JsonObject? message, TimeSpan? timeout, string? what = null)
    {
        var begun = http.RequestServices.Clock().GetTimestamp();
        var outcome = await hub.Running.Calls.CallAsync(agent, topic, message, timeout, http.RequestAborted);
        var result = outcome.Error is null ? outcome.Text("status") ?? "answered" : $"{outcome.Status} {outcome.Error}";
        await NoteAsync(http, hub, agent, device, what ?? topic, outcome.CorrelationId, result, begun);
        return outcome;
    }

    /// <summary>Begins an operation, and waits for its end when the request asks for that.</summary>
    public static async Task<IResult> BeginAsync(
        HttpContext http, EdgeHub hub, string agent, string device, string topic, JsonObject? message, double? wait, Func<Task>? accepted = null)
    {
        var outcome = await DoAsync(http, hub, agent, device, topic, message, null);
        if (!outcome.IsGood) return new AgentResult(outcome);
        if (accepted is not null) await accepted();
        var operation = hub.Running.Operations.Begin(outcome.CorrelationId, agent, device, topic);
        operation = await hub.Running.Operations.WaitAsync(agent, operation.Id, WaitOf(wait), http.RequestAborted) ?? operation;
        return operation.HasEnded
            ? TypedResults.Json(operation, HubJson.Default.HubOperation)
            : TypedResults.Accepted($"/api/orchestrators/{Uri.EscapeDataString(agent)}/operations/{operation.Id}", operation);
    }

    public static async Task NoteAsync(
        HttpContext http, EdgeHub hub, string agent, string? device, string action, long? correlation, string result, long begun)
    {
        var time = http.RequestServices.Clock();
        var caller = http.Features.Get<HubCaller>();
        await hub.Running.Store.SaveAuditAsync(
            new AuditEntry(
                time.GetUtcNow(), caller?.Name ?? "?", http.Connection.RemoteIpAddress?.ToString() ?? "", agent, device, action, correlation, result,
                (long)time.GetElapsedTime(begun).TotalMilliseconds),
            CancellationToken.None);
    }

    public static IResult Problem(int status, string what) => TypedResults.Problem(what, statusCode: status);

    public static IResult NoSuchAgent(string agent) => Problem(404, $"there is no agent '{agent}'");

    public static TimeSpan WaitOf(double? seconds) => TimeSpan.FromSeconds(Math.Clamp(Finite(seconds) ?? 0, 0, WaitMax.TotalSeconds));

    public static TimeSpan? TimeoutOf(EdgeHub hub, double? seconds) =>
        Finite(seconds) is { } wanted ? TimeSpan.FromSeconds(Math.Clamp(wanted, 0.1, hub.Options.CallTimeoutMax.TotalSeconds)) : null;

    public static TimeProvider Clock(this IServiceProvider services) => (TimeProvider?)services.GetService(typeof(TimeProvider)) ?? TimeProvider.System;

    private static double? Finite(double? number) => number is { } n && double.IsFinite(n) ? n : null;
}
