using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Mooring.Web.Live;

/// <summary>
/// One server-sent event stream. It has no queue: it knows which version of each table it has told, and takes what has come since when its
/// client has taken the last bytes. A client that stands still holds one piece of one event, and is cut after a while.
/// </summary>
internal sealed class LiveStream(HttpContext http, LiveFeed feed, LiveTable[] tables, ConsoleLimits limits, TimeProvider time)
{
    private readonly long[] _seen = new long[tables.Length];
    private readonly List<byte[]> _parts = [];

    public async Task RunAsync()
    {
        foreach (var table in tables) table.Watch();
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, feed.Stopping);
            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-store";
            http.Response.Headers["X-Accel-Buffering"] = "no";
            await TellAsync(": welcome\nretry: 1000\n\n"u8.ToArray(), ending.Token);
            while (!ending.IsCancellationRequested)
            {
                // Taken before the tables are read: what changes after that completes it.
                var next = feed.NextChange;
                if (!await TellChangesAsync(ending.Token)) await WaitAsync(next, ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The client left, stood still for too long, or the process stops.
        }
        finally
        {
            foreach (var table in tables) table.Leave();
        }
    }

    private async Task<bool> TellChangesAsync(CancellationToken cancellationToken)
    {
        _parts.Clear();
        for (var i = 0; i < tables.Length; i++) _seen[i] = tables[i].Since(_seen[i], _parts);
        foreach (var part in _parts) await TellAsync(part, cancellationToken);
        return _parts.Count > 0;
    }

    private async Task WaitAsync(Task next, CancellationToken cancellationToken)
    {
        try
        {
            await next.WaitAsync(limits.QuietFor, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            await TellAsync(":\n\n"u8.ToArray(), cancellationToken);
        }
    }

    /// <summary>In pieces, each after the one before has left: what waits for a client that stands still stays small.</summary>
    private async Task TellAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        for (var sent = 0; sent < bytes.Length; sent += limits.PieceBytes)
        {
            http.Response.BodyWriter.Write(bytes.AsSpan(sent, Math.Min(limits.PieceBytes, bytes.Length - sent)));
            var flushing = http.Response.BodyWriter.FlushAsync(cancellationToken);
            if (flushing.IsCompletedSuccessfully) continue;
            try
            {
                await flushing.AsTask().WaitAsync(limits.StalledFor, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                http.Abort();
                throw new OperationCanceledException("the client takes nothing");
            }
        }
    }
}
