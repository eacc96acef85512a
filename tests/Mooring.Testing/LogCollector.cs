using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Mooring.Testing;

/// <summary>Collects what is logged. A test reads it, or waits for a line.</summary>
public sealed class LogCollector : ILoggerProvider
{
    /// <summary>Lines kept; a test that logs more has gone wild, and its first lines tell why.</summary>
    public const int EntriesMax = 100_000;

    private readonly Lock _lock = new();
    private readonly List<LogEntry> _entries = [];
    private readonly List<(Func<LogEntry, bool> Match, TaskCompletionSource<LogEntry> Found)> _waiting = [];
    private readonly ConcurrentDictionary<string, ILogger> _loggers = new();

    /// <summary>What was logged so far.</summary>
    public IReadOnlyList<LogEntry> Entries
    {
        get { lock (_lock) return [.. _entries]; }
    }

    public ILogger CreateLogger(string categoryName) => _loggers.GetOrAdd(categoryName, name => new Logger(this, name));

    /// <summary>Waits for a line that matches; one that was logged before counts.</summary>
    public Task<LogEntry> WhenAsync(Func<LogEntry, bool> match, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_entries.FirstOrDefault(match) is { } present) return Task.FromResult(present);
            var found = new TaskCompletionSource<LogEntry>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((match, found));
            return found.Task.WaitAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
    }

    private void Add(LogEntry entry)
    {
        List<TaskCompletionSource<LogEntry>> found = [];
        lock (_lock)
        {
            if (_entries.Count < EntriesMax) _entries.Add(entry);
            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                if (!_waiting[i].Match(entry)) continue;
                found.Add(_waiting[i].Found);
                _waiting.RemoveAt(i);
            }
        }
        foreach (var waiter in found) waiter.TrySetResult(entry);
    }

    private sealed class Logger(LogCollector collector, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            collector.Add(new LogEntry(logLevel, eventId, category, formatter(state, exception), exception));
    }
}
