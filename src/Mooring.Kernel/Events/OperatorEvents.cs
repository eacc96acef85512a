using System.Threading.Channels;

namespace Mooring.Kernel.Events;

/// <summary>
/// What happens in all systems of a process, in one order. Whoever reports is never held up: each watcher has a bounded queue, whose oldest
/// entries give way.
/// </summary>
public sealed class OperatorEvents
{
    /// <summary>Events kept for those who come later: an hour of a busy plant, about a megabyte.</summary>
    public const int RecentMax = 2_000;

    /// <summary>Events that may wait for one watcher.</summary>
    public const int WaitingMax = 1_024;

    /// <summary>Longest text; what others send is cut off here, so that an event has a size.</summary>
    public const int TextMax = 500;

    private readonly Lock _gate = new();
    private readonly Queue<OperatorEvent> _recent = new(RecentMax);
    private readonly TimeProvider _time;
    private Channel<OperatorEvent>[] _watchers = [];
    private long _last;

    /// <summary>Nothing has happened yet.</summary>
    /// <param name="time">The clock of the events.</param>
    public OperatorEvents(TimeProvider time) => _time = time;

    /// <summary>Number of the last event.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>Tells everybody.</summary>
    /// <param name="system">Which system.</param>
    /// <param name="subject">To whom it happened.</param>
    /// <param name="kind">What, in one word.</param>
    /// <param name="severity">How much it matters.</param>
    /// <param name="text">What people read.</param>
    public void Publish(string system, string subject, string kind, EventSeverity severity, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        lock (_gate)
        {
            var told = new OperatorEvent(_last + 1, _time.GetUtcNow(), system, Short(subject), kind, severity, Short(text));
            if (_recent.Count == RecentMax) _recent.Dequeue();
            _recent.Enqueue(told);
            Volatile.Write(ref _last, told.Number);
            // Under the lock, so that every watcher sees the same order; a bounded channel that drops its oldest never waits.
            foreach (var watcher in _watchers) watcher.Writer.TryWrite(told);
        }
    }

    /// <summary>Events that are still kept.</summary>
    /// <param name="after">Number of an event that was seen; 0 for all.</param>
    /// <returns>The oldest first.</returns>
    public IReadOnlyList<OperatorEvent> Recent(long after = 0)
    {
        lock (_gate) return [.. _recent.Where(told => told.Number > after)];
    }

    /// <summary>Gives what happens from now on, until cancelled.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The events; when they come faster than they are taken, the oldest are missing.</returns>
    public async IAsyncEnumerable<OperatorEvent> WatchAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watcher = Channel.CreateBounded<OperatorEvent>(
            new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (_gate) _watchers = [.. _watchers, watcher];
        try
        {
            await foreach (var told in watcher.Reader.ReadAllAsync(cancellationToken)) yield return told;
        }
        finally
        {
            lock (_gate) _watchers = [.. _watchers.Where(other => other != watcher)];
        }
    }

    private static string Short(string text) => text.Length <= TextMax ? text : text[..TextMax];
}
