using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub.Api;

/// <summary><c>/api/edge</c>: what happens, as server-sent events, and what was done by whom.</summary>
internal static class HistoryEndpoints
{
    /// <summary>A comment in this time keeps proxies from closing a quiet stream.</summary>
    private static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(15);

    private const int AuditMax = 10_000;

    public static void Map(RouteGroupBuilder group)
    {
        group.MapGet("/events", Watch).For(HubRole.Viewer)
            .WithSummary("Events of agents and operations as server-sent events; Last-Event-ID or after continue, agent limits them to one.");
        group.MapGet("/audit", Audit).For(HubRole.Admin).WithSummary("Who did what, the newest first.");
    }

    private static async Task<IResult> Audit(EdgeHub hub, string? agent, DateTimeOffset? before, int? most, CancellationToken cancellationToken)
    {
        IReadOnlyList<AuditEntry> entries = await hub.Running.Store.AuditAsync(
            agent, before ?? DateTimeOffset.MaxValue, Math.Clamp(most ?? 100, 1, AuditMax), cancellationToken);
        return TypedResults.Ok(entries);
    }

    private static async Task Watch(HttpContext http, EdgeHub hub, string? agent, long? after)
    {
        if (long.TryParse(http.Request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var last)) after = last;
        var history = hub.Running.History;
        if (await history.WatchAsync(after, http.RequestAborted) is not { } watcher)
        {
            await HubCall.Problem(503, $"{hub.Options.Limits.WatchersMax} watch already").ExecuteAsync(http);
            return;
        }
        try
        {
            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-store";
            await http.Response.WriteAsync(": watching\n\n", http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            await SendAsync(http, watcher.Reader, agent);
        }
        catch (OperationCanceledException)
        {
            // The watcher went away.
        }
        finally
        {
            history.Leave(watcher);
        }
    }

    private static async Task SendAsync(HttpContext http, ChannelReader<HubEvent> events, string? agent)
    {
        var caller = http.Features.Get<HubCaller>()!;
        var time = http.RequestServices.Clock();
        var more = events.WaitToReadAsync(http.RequestAborted).AsTask();
        while (true)
        {
            try
            {
                if (!await more.WaitAsync(QuietMax, time, http.RequestAborted)) return;
            }
            catch (TimeoutException)
            {
                await http.Response.WriteAsync(":\n\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
                continue;
            }
            while (events.TryRead(out var told))
                if ((agent is null || told.Agent == agent) && caller.MaySee(told.Agent))
                    await http.Response.WriteAsync(TextOf(told), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            more = events.WaitToReadAsync(http.RequestAborted).AsTask();
        }
    }

    private static string TextOf(HubEvent told) => string.Create(
        CultureInfo.InvariantCulture, $"id: {told.Id}\nevent: {told.Kind}\ndata: {JsonSerializer.Serialize(told, HubJson.Default.HubEvent)}\n\n");
}
