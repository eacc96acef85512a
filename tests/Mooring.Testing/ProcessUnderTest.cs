using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Mooring.Testing;

/// <summary>A real process: its lines are collected, signals go to its id, and it does not survive the test.</summary>
public sealed partial class ProcessUnderTest : IAsyncDisposable
{
    /// <summary>Lines kept of a chatty process; the oldest go first.</summary>
    public const int LinesMax = 10_000;

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = new();
    private readonly List<(Func<string, bool> Match, TaskCompletionSource<string> Found)> _waiting = [];

    private ProcessUnderTest(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Lines of standard output and standard error, as they came.</summary>
    public IReadOnlyList<string> Lines
    {
        get { lock (_lock) return [.. _lines]; }
    }

    public StreamWriter Input => _process.StandardInput;

    public static ProcessUnderTest Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>()) start.Environment[name] = value;
        return Start(start);
    }

    /// <summary>Starts what was prepared, with all three streams redirected.</summary>
    public static ProcessUnderTest Start(ProcessStartInfo start)
    {
        var process = new Process { StartInfo = start };
        var running = new ProcessUnderTest(process);
        process.OutputDataReceived += (_, e) => running.Add(e.Data);
        process.ErrorDataReceived += (_, e) => running.Add(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return running;
    }

    /// <summary>Waits for a line that contains the text; one that came before counts. Fails at once when the process ends without it.</summary>
    public Task<string> LineAsync(string contains, CancellationToken cancellationToken) =>
        LineAsync(line => line.Contains(contains, StringComparison.Ordinal), $"'{contains}'", cancellationToken);

    public async Task<string> LineAsync(Func<string, bool> match, string description, CancellationToken cancellationToken)
    {
        Task<string> found;
        lock (_lock)
        {
            if (_lines.FirstOrDefault(match) is { } present) return present;
            var source = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((match, source));
            found = source.Task;
        }
        try
        {
            // The exit is seen only after both outputs were read to their end.
            await Task.WhenAny(found, _process.WaitForExitAsync(cancellationToken)).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no line {description} in time; lines so far:\n{string.Join('\n', Lines)}");
        }
        if (found.IsCompleted) return await found;
        throw new InvalidOperationException($"the process ended before a line {description}:\n{string.Join('\n', Lines)}");
    }

    /// <summary>Waits for the end and returns the exit code.</summary>
    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>SIGINT: Ctrl-C.</summary>
    public void Interrupt() => Signal(2);

    /// <summary>SIGTERM.</summary>
    public void Terminate() => Signal(15);

    /// <summary>SIGHUP.</summary>
    public void HangUp() => Signal(1);

    /// <summary>SIGSTOP: the process is there, and answers nothing.</summary>
    public void Freeze() => Signal(19);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Signal(18);

    /// <summary>SIGKILL.</summary>
    public void Kill() => Signal(9);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Signal(int number)
    {
        if (_process.HasExited) return;
        if (SendSignal(_process.Id, number) != 0) throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
    }

    private void Add(string? line)
    {
        if (line is null) return;
        List<TaskCompletionSource<string>> found = [];
        lock (_lock)
        {
            if (_lines.Count == LinesMax) _lines.Dequeue();
            _lines.Enqueue(line);
            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                if (!_waiting[i].Match(line)) continue;
                found.Add(_waiting[i].Found);
                _waiting.RemoveAt(i);
            }
        }
        foreach (var waiter in found) waiter.TrySetResult(line);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
