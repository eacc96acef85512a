using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Mooring.Edge.Logs;

/// <summary>
/// Writes log files beside the console. Who logs never waits for the disk: lines queue, and when more come than a disk takes, the newest
/// are dropped and counted.
/// </summary>
internal sealed class LogFileProvider : ILoggerProvider, IAsyncDisposable
{
    /// <summary>Lines that wait for the disk.</summary>
    private const int LinesMax = 10_000;

    private readonly LogFileOptions _options;
    private readonly TimeProvider _time;
    private readonly Channel<LogLine> _lines = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(LinesMax) { SingleReader = true });
    private readonly Task _writing;
    private long _dropped;

    public LogFileProvider(LogFileOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _writing = Task.Run(WriteAsync);
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new FileLogger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private async Task WriteAsync()
    {
        using var usual = new RollingFile(Path.Combine(_options.Folder, "logs"), _options.Name + "-logs", _options);
        using var debug = new RollingFile(Path.Combine(_options.Folder, "debug"), _options.Name + "-debug", _options);
        var isTold = false;
        while (await _lines.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            try
            {
                if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped) Write(usual, debug, Gap(dropped));
                while (_lines.Reader.TryRead(out var line)) Write(usual, debug, line);
                usual.Flush();
                debug.Flush();
                isTold = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Told once on the console: a full disk must not stop the program, nor fill what else is logged.
                if (!isTold) await Console.Error.WriteLineAsync($"no log files are written now: {e.Message}").ConfigureAwait(false);
                isTold = true;
            }
        }
    }

    private void Write(RollingFile usual, RollingFile debug, in LogLine line)
    {
        var local = line.At.ToLocalTime();
        var text = _options.IsJson ? LogLineJson.Write(line) : TextOf(local, line);
        debug.Write(local, text);
        if (line.Level >= _options.Level) usual.Write(local, text);
    }

    private static string TextOf(DateTimeOffset local, in LogLine line)
    {
        var category = line.Category.AsSpan(line.Category.LastIndexOf('.') + 1);
        var text = string.Create(CultureInfo.InvariantCulture, $"{local:yyyy-MM-dd HH:mm:ss.fff} | {NameOf(line.Level)} | {category} | {line.Message.ReplaceLineEndings(" ")}");
        return line.Exception is null ? text : $"{text}\n{line.Exception}";
    }

    private LogLine Gap(long dropped) =>
        new(_time.GetUtcNow(), LogLevel.Warning, typeof(LogFileProvider).FullName!, 0, $"{dropped} lines were dropped: the disk was too slow", null);

    private void Add(in LogLine line)
    {
        if (!_lines.Writer.TryWrite(line)) Interlocked.Increment(ref _dropped);
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Information => "INFO",
        _ => level.ToString().ToUpperInvariant(),
    };

    private sealed class FileLogger(LogFileProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Debug and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            provider.Add(new LogLine(provider._time.GetUtcNow(), logLevel, category, eventId.Id, formatter(state, exception), exception?.ToString()));
        }
    }
}
