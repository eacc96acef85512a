using Microsoft.Extensions.Logging;

namespace Mooring.Edge.Agent;

/// <summary>Work that goes on after its request was answered, for as long as the agent runs.</summary>
/// <param name="logger">Told of work that ended as it must not.</param>
internal sealed partial class AgentWork(ILogger<AgentWork> logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Begins work.</summary>
    /// <param name="what">What it is, for the log.</param>
    /// <param name="work">The work; its token is cancelled when the agent stops.</param>
    public void Start(string what, Func<CancellationToken, Task> work)
    {
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return;
            var task = Task.Run(() => RunAsync(what, work));
            _running.Add(task);
            task.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Stops all work and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] left;
        lock (_gate) left = [.. _running];
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(left).ConfigureAwait(false);
    }

    private async Task RunAsync(string what, Func<CancellationToken, Task> work)
    {
        try
        {
            await work(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent stops.
        }
        catch (Exception e)
        {
            LogFailed(logger, what, e);
        }
    }

    private void Forget(Task task)
    {
        lock (_gate) _running.Remove(task);
    }

    [LoggerMessage(7005, LogLevel.Error, "{Work} failed")]
    private static partial void LogFailed(ILogger logger, string work, Exception exception);
}
