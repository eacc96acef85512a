using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Mooring.Kernel.Events;

namespace Mooring.Tunnel.Server.Api;

/// <summary>What happens, as server-sent events: first what came after the event that the caller saw last, then everything new.</summary>
internal sealed class AdminEventStream(TunnelServer server, HttpContext context)
{
    /// <summary>A comment after this much silence shows both ends that the other is there.</summary>
    private static readonly TimeSpan s_quietMax = TimeSpan.FromSeconds(15);

    /// <summary>A reader that takes nothing for this long is gone.</summary>
    private static readonly TimeSpan s_stalledFor = TimeSpan.FromSeconds(30);

    private long _last;

    public async Task RunAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, server.Stopping);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        _last = long.TryParse(context.Request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var seen) ? seen : server.Events.Last;
        // Watched before the past is read, so that nothing falls in between.
        await using var events = server.Events.WatchAsync(ending.Token).GetAsyncEnumerator(ending.Token);
        var next = events.MoveNextAsync().AsTask();
        try
        {
            await WriteAsync(": events\n\n", ending.Token);
            foreach (var past in server.Events.Recent(_last)) await TellAsync(past, ending.Token);
            while (await NextAsync(next, ending.Token))
            {
                await TellAsync(events.Current, ending.Token);
                next = events.MoveNextAsync().AsTask();
            }
        }
        catch (OperationCanceledException)
        {
            // Whoever read it left, or the server stops.
        }
        finally
        {
            await ending.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> NextAsync(Task<bool> next, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await next.WaitAsync(s_quietMax, server.Time, cancellationToken);
            }
            catch (TimeoutException)
            {
                await WriteAsync(":\n\n", cancellationToken);
            }
        }
    }

    private async Task TellAsync(OperatorEvent told, CancellationToken cancellationToken)
    {
        if (told.Number <= _last || told.System != TunnelServer.EventSystem) return;
        _last = told.Number;
        var view = new EventView(told.At, told.Subject, told.Severity.ToString().ToLowerInvariant(), told.Text);
        await WriteAsync(
            string.Create(CultureInfo.InvariantCulture, $"id: {told.Number}\nevent: {told.Kind}\ndata: {JsonSerializer.Serialize(view, AdminJson.Default.EventView)}\n\n"),
            cancellationToken);
    }

    private async Task WriteAsync(string text, CancellationToken cancellationToken)
    {
        try
        {
            await context.Response.WriteAsync(text, cancellationToken).WaitAsync(s_stalledFor, server.Time, cancellationToken);
            await context.Response.Body.FlushAsync(cancellationToken).WaitAsync(s_stalledFor, server.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            context.Abort();
            throw new OperationCanceledException("the reader takes nothing");
        }
    }
}
