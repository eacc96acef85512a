using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mooring.Web.Live;

/// <summary>Looks at the tables that somebody watches, four times a second, and wakes the streams when something has changed.</summary>
internal sealed partial class LiveFeed(LiveTables tables, ConsoleLimits limits, TimeProvider time, ILogger<LiveFeed> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = logger;
    private TaskCompletionSource _next = NewSignal();
    private Task _running = Task.CompletedTask;
    private int _streams;

    /// <summary>Completes with the next change of any table.</summary>
    public Task NextChange => Volatile.Read(ref _next).Task;

    /// <summary>Open streams.</summary>
    public int Streams => Volatile.Read(ref _streams);

    /// <summary>Cancelled when the process stops.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(LookAsync(), PlotAsync());
        return Task.CompletedTask;
    }

    /// <summary>Before the web server waits for its requests to end: streams never do.</summary>
    public void Close()
    {
        if (!_stopping.IsCancellationRequested) _stopping.Cancel();
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Close();
        return _running;
    }

    public void Dispose() => _stopping.Dispose();

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _streams) <= limits.StreamsMax) return true;
        Interlocked.Decrement(ref _streams);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _streams);

    /// <summary>One look at all tables that are watched.</summary>
    internal void LookOnce()
    {
        var hasChanged = false;
        foreach (var table in tables.All)
            if (table.IsWatched) hasChanged |= table.Look();
        if (hasChanged) Interlocked.Exchange(ref _next, NewSignal()).TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task LookAsync() => RepeatAsync(limits.Period, LookOnce);

    private Task PlotAsync() => RepeatAsync(limits.PlotPeriod, tables.History.AddPoint);

    private async Task RepeatAsync(TimeSpan period, Action step)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                try
                {
                    step();
                }
                catch (Exception exception)
                {
                    LogLookFailed(exception.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    [LoggerMessage(8000, LogLevel.Warning, "the console could not look: {Why}")]
    private partial void LogLookFailed(string why);
}
