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
    private readonly Channel<Line> _lines = Channel.CreateBounded<Line>(new BoundedChannelOptions(LinesMax) { SingleReader = true });
    private readonly Task _writing;
    private long _dropped;

    public LogFileProvider(LogFileOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _writing = Task.Run(WriteAsync);
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new FileLogger(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

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

    private void Write(RollingFile usual, RollingFile debug, Line line)
    {
        var local = line.At.ToLocalTime();
        var text = string.Create(CultureInfo.InvariantCulture, $"{local:yyyy-MM-dd HH:mm:ss.fff} | {NameOf(line.Level)} | {line.Category} | {line.Text}");
        debug.Write(local, text);
        if (line.Level >= _options.Level) usual.Write(local, text);
    }

    private Line Gap(long dropped) => new(_time.GetUtcNow(), LogLevel.Warning, nameof(LogFileProvider), $"{dropped} lines were dropped: the disk was too slow");

    private void Add(in Line line)
    {
        if (!_lines.Writer.TryWrite(line)) Interlocked.Increment(ref _dropped);
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Information => "INFO",
        _ => level.ToString().ToUpperInvariant(),
    };

    private readonly record struct Line(DateTimeOffset At, LogLevel Level, string Category, string Text);

    private sealed class FileLogger(LogFileProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Debug and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var text = formatter(state, exception).ReplaceLineEndings(" ");
            if (exception is not null) text = $"{text}\n{exception}";
            provider.Add(new Line(provider._time.GetUtcNow(), logLevel, category, text));
        }
    }
}
