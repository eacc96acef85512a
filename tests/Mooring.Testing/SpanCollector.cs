using System.Diagnostics;

namespace Mooring.Testing;

/// <summary>
/// Listens to activity sources and keeps the spans that have ended. Others run at the same time: ask for one trace. Put the test in a
/// collection that runs alone, since listening changes what the code under test does everywhere in the process.
/// </summary>
public sealed class SpanCollector : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Activity> _ended = [];
    private readonly ActivityListener _listener;
    private TaskCompletionSource _changed = new();

    /// <param name="sources">Names of the sources.</param>
    public SpanCollector(params string[] sources)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => sources.Contains(source.Name),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Add,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>A place in a new trace, for what a test sends.</summary>
    public static ActivityContext NewTrace() => new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);

    /// <summary>Waits for a span of the trace with this name, other than <paramref name="except"/>.</summary>
    public async Task<Activity> WhenAsync(ActivityTraceId trace, string name, CancellationToken cancellationToken, params Activity[] except)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_ended.Find(span => span.TraceId == trace && span.OperationName == name && !except.Contains(span)) is { } found) return found;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Activity activity)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _ended.Add(activity);
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.TrySetResult();
    }
}
