using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;

namespace Mooring.Fleet.Logging;

/// <summary>Writes each entry as one line to every target whose level it reaches.</summary>
internal sealed class FleetLogProvider(FleetLoggingOptions options, IReadOnlyList<LogTarget> targets, TimeProvider time) : ILoggerProvider
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, ILogger> _loggers = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _line = new();

    public ILogger CreateLogger(string categoryName) =>
        _loggers.GetOrAdd(categoryName, name => new Logger(this, name[(name.LastIndexOf('.') + 1)..]));

    public void Dispose()
    {
        lock (_lock)
            foreach (var target in targets) target.Sink.Dispose();
    }

    private void Write(in LogLine line)
    {
        lock (_lock)
        {
            _line.ResetWrittenCount();
            if (options.IsJson) line.WriteJson(_line);
            else line.WriteText(_line);
            foreach (var target in targets)
            {
                if (line.Level < target.Level) continue;
                try
                {
                    target.Sink.Write(_line.WrittenSpan);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
                {
                    // A full disk or a closed terminal must not stop the cars.
                }
            }
        }
    }

    private sealed class Logger(FleetLogProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            provider.Write(new LogLine(
                provider.Now, logLevel, eventId.Id, category, formatter(state, exception),
                state as IReadOnlyList<KeyValuePair<string, object?>> ?? [], exception));
    }

    private DateTimeOffset Now => time.GetLocalNow();
}
