using System.Globalization;

namespace Mooring.Cli.Verbs;

/// <summary>Log lines of the tunnel client: <c>HH:MM:SS [LEVEL] text</c> on standard error, with date and source in the file.</summary>
internal sealed class TunnelLogProvider : ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly LogLevel _consoleLevel;
    private readonly TimeProvider _time;
    private readonly StreamWriter? _file;

    internal TunnelLogProvider(LogLevel consoleLevel, string? file, TimeProvider time)
    {
        _consoleLevel = consoleLevel;
        _time = time;
        if (file is not null) _file = new StreamWriter(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
    }

    public ILogger CreateLogger(string categoryName) => new Line(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void Dispose() => _file?.Dispose();

    private void Write(LogLevel level, string category, string text)
    {
        var name = level switch
        {
            LogLevel.Critical or LogLevel.Error => "ERROR",
            LogLevel.Warning => "WARNING",
            LogLevel.Information => "INFO",
            _ => "DEBUG",
        };
        var now = _time.GetLocalNow();
        lock (_gate)
        {
            if (level >= _consoleLevel) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{now:HH:mm:ss} [{name}] {text}"));
            _file?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{now:yyyy-MM-dd HH:mm:ss} [{name}] {category}: {text}"));
        }
    }

    private sealed class Line(TunnelLogProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            provider.Write(logLevel, category, formatter(state, exception));
    }
}
