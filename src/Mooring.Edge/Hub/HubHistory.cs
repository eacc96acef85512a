using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub.Store;
using Mooring.Kernel.Clocks;
using Mooring.Kernel.Events;

namespace Mooring.Edge.Hub;

/// <summary>
/// What happened: told at once to everyone who watches, and written to the store in batches, once a second, so that a thousand agents cost
/// one transaction.
/// </summary>
internal sealed partial class HubHistory(
    HubStore store, HubLimits limits, TimeProvider time, ILogger<HubHistory> logger, OperatorEvents? events = null)
{
    private static readonly TimeSpan WritePeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForgetPeriod = TimeSpan.FromHours(1);

    /// <summary>Rows that may wait for a store that is slow or away; then heartbeats are dropped, which come again.</summary>
    private const int WaitingMax = 50_000;

    /// <summary>Events that a new watcher can be told from memory.</summary>
    private const int RecentMax = 1_000;

    private readonly Lock _lock = new();
    private readonly Queue<HubEvent> _recent = new();
    private readonly HashSet<Channel<HubEvent>> _watchers = [];
    private readonly List<(string Agent, DateTimeOffset At)> _seen = [];
    private List<HubEvent> _events = [];
    private List<(string Agent, DateTimeOffset At, string Beat)> _beats = [];
    private long _lastId;
    private long _dropped;

    public async Task LoadAsync(CancellationToken cancellationToken) => _lastId = await store.LastEventAsync(cancellationToken);

    public void Publish(string kind, string agent, Action<Utf8JsonWriter> write)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        var reader = new Utf8JsonReader(json.WrittenSpan);
        Publish(kind, agent, JsonElement.ParseValue(ref reader));
    }

    /// <summary>Tells the watchers, and keeps the event unless it comes too often for that.</summary>
    public void Publish(string kind, string agent, JsonElement details, bool isKept = true)
    {
        if (isKept && events is not null) HubEventText.Tell(events, kind, agent, details);
        lock (_lock)
        {
            // What is not kept gets no number of its own: numbers must not come twice after a restart.
            var told = new HubEvent(isKept ? ++_lastId : _lastId, time.GetUtcNow(), kind, agent, details);
            if (isKept)
            {
                _recent.Enqueue(told);
                if (_recent.Count > RecentMax) _recent.Dequeue();
                if (_events.Count < WaitingMax) _events.Add(told);
            }
            // A watcher whose queue is full is sent away: it comes back and names the last event it saw.
            _watchers.RemoveWhere(watcher => !watcher.Writer.TryWrite(told) && watcher.Writer.TryComplete());
        }
    }

    public void Beat(string agent, DateTimeOffset at, string beat)
    {
        lock (_lock)
        {
            if (_beats.Count < WaitingMax) _beats.Add((agent, at, beat));
            else _dropped++;
            Seen_NeedsLock(agent, at);
        }
    }

    public void Seen(string agent, DateTimeOffset at)
    {
        lock (_lock) Seen_NeedsLock(agent, at);
    }

    /// <summary>Watches from now on, and what came after an event that was seen before.</summary>
    /// <returns>Null when too many watch already.</returns>
    public async Task<Channel<HubEvent>?> WatchAsync(long? after, CancellationToken cancellationToken)
    {
        // The store knows what memory has forgotten; it is asked first, outside the lock, for what came before the oldest in memory.
        List<HubEvent> older = [];
        if (after is { } last)
        {
            await WriteAsync(cancellationToken);
            older = await store.EventsAsync(last, limits.WatcherQueueMax, cancellationToken);
        }
        lock (_lock)
        {
            if (_watchers.Count >= limits.WatchersMax) return null;
            var watcher = Channel.CreateBounded<HubEvent>(new BoundedChannelOptions(limits.WatcherQueueMax) { SingleReader = true });
            foreach (var told in older) watcher.Writer.TryWrite(told);
            var seen = older.Count > 0 ? older[^1].Id : after ?? _lastId;
            foreach (var told in _recent.Where(e => e.Id > seen)) watcher.Writer.TryWrite(told);
            _watchers.Add(watcher);
            return watcher;
        }
    }

    public void Leave(Channel<HubEvent> watcher)
    {
        lock (_lock) _watchers.Remove(watcher);
    }

    /// <summary>Ends everybody's watch: the hub stops.</summary>
    public void Close()
    {
        lock (_lock)
        {
            foreach (var watcher in _watchers) watcher.Writer.TryComplete();
            _watchers.Clear();
        }
    }

    /// <summary>Writes what gathers, until the hub stops.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(WritePeriod, time);
        var forgetAt = time.Steady();
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await TryAsync(() => WriteAsync(cancellationToken));
                if (time.Steady() < forgetAt) continue;
                forgetAt = time.Steady() + ForgetPeriod;
                var now = time.GetUtcNow();
                await TryAsync(() => store.ForgetAsync(now - limits.BeatsKept, now - limits.EventsKept, cancellationToken));
            }
        }
        catch (OperationCanceledException)
        {
            // What is left is written below.
        }
        await TryAsync(() => WriteAsync(CancellationToken.None));
    }

    private async Task TryAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotWritten(e.Message, Interlocked.Read(ref _dropped));
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        List<HubEvent> events;
        List<(string, DateTimeOffset, string)> beats;
        (string, DateTimeOffset)[] seen;
        lock (_lock)
        {
            if (_events.Count + _beats.Count + _seen.Count == 0) return;
            (events, beats, seen) = (_events, _beats, [.. _seen]);
            (_events, _beats) = ([], []);
            _seen.Clear();
        }
        try
        {
            await store.SaveHistoryAsync(events, beats, seen, cancellationToken);
        }
        catch
        {
            lock (_lock)
            {
                // For the next time, in front of what has come meanwhile.
                if (events.Count + _events.Count <= WaitingMax) _events = [.. events, .. _events];
                if (beats.Count + _beats.Count <= WaitingMax) _beats = [.. beats, .. _beats];
            }
            throw;
        }
    }

    private void Seen_NeedsLock(string agent, DateTimeOffset at)
    {
        if (_seen.Count < WaitingMax) _seen.Add((agent, at));
    }

    [LoggerMessage(7510, LogLevel.Error, "The hub's history cannot be written: {Why} ({Dropped} heartbeats dropped so far)")]
    private partial void LogNotWritten(string why, long dropped);
}
