using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Mooring.Cli.Hosting;

/// <summary>
/// The log in a file, beside standard error. Who logs never waits for the disk: lines queue, and when more come than a disk takes, the
/// newest are dropped and counted. A file that is full is moved aside; SIGHUP opens it anew, for programs that move it aside themselves.
/// </summary>
internal sealed class FileLog : ILoggerProvider, IAsyncDisposable
{
    /// <summary>Lines that wait for the disk.</summary>
    private const int LinesMax = 10_000;

    private readonly FileLogLine _form;
    private readonly TimeProvider _time;
    private readonly RotatingFile _file;
    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(LinesMax) { SingleReader = true });
    private readonly PosixSignalRegistration _hangUp;
    private readonly Task _writing;
    private long _dropped;
    private int _isToReopen;

    /// <summary>Opens the file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="isJson">Whether each line is a JSON object.</param>
    /// <param name="bytesMax">A file so long is moved aside; 0 for never.</param>
    /// <param name="time">Clock of the lines.</param>
    /// <exception cref="UserErrorException">It cannot be written.</exception>
    internal FileLog(string path, bool isJson, long bytesMax, TimeProvider time)
    {
        _form = new FileLogLine(isJson);
        _time = time;
        try
        {
            _file = new RotatingFile(path, bytesMax);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"log_file: '{path}' cannot be written: {exception.Message}");
        }
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            Reopen();
        });
        _writing = Task.Run(WriteAsync);
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <summary>Opens the file that has the name now, before anything else is written.</summary>
    internal void Reopen()
    {
        Interlocked.Exchange(ref _isToReopen, 1);
        // Only to wake the writer: where the queue is full, it is awake.
        _lines.Writer.TryWrite([]);
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        _hangUp.Dispose();
        _lines.Writer.TryComplete();
        await _writing;
        _file.Dispose();
    }

    private async Task WriteAsync()
    {
        var isTold = false;
        while (await _lines.Reader.WaitToReadAsync())
        {
            try
            {
                if (Interlocked.Exchange(ref _isToReopen, 0) == 1) _file.Reopen();
                if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped) _file.Write(Gap(dropped));
                while (_lines.Reader.TryRead(out var line)) _file.Write(line);
                _file.Flush();
                isTold = false;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Told once: a full disk must not stop the program.
                if (!isTold) await Console.Error.WriteLineAsync($"mooring: the log file is not written now: {exception.Message}");
                isTold = true;
            }
        }
    }

    private byte[] Gap(long dropped) => _form.Encode(
        _time.GetUtcNow(), LogLevel.Warning, typeof(FileLog).FullName!, default, $"{dropped} lines were dropped: the disk was too slow", null);

    private void Add(byte[] line)
    {
        if (!_lines.Writer.TryWrite(line)) Interlocked.Increment(ref _dropped);
    }

    private sealed class Logger(FileLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) log.Add(log._form.Encode(log._time.GetUtcNow(), logLevel, category, eventId, formatter(state, exception), exception));
        }
    }
}
