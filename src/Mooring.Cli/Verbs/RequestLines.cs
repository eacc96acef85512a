using System.Globalization;
using System.Text;

namespace Mooring.Cli.Verbs;

/// <summary>
/// The lines about visitors' requests on their way to standard error. Requests never wait for them: what gathers while one write is under
/// way leaves with the next, and what a reader who has stopped reading leaves behind is counted, not kept.
/// </summary>
internal sealed class RequestLines(TextWriter target) : IAsyncDisposable
{
    /// <summary>Some thousands of lines: more than a pause of a terminal gathers, and nothing to a process.</summary>
    internal const int WaitingCharsMax = 256 * 1024;

    /// <summary>What is left at the end may take this long.</summary>
    internal static readonly TimeSpan LastWriteTimeout = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly StringBuilder _waiting = new();
    private Task _writing = Task.CompletedTask;
    private bool _isWriting;
    private long _lost;

    internal void Add(string line)
    {
        lock (_gate)
        {
            if (_waiting.Length + line.Length > WaitingCharsMax)
            {
                _lost++;
                return;
            }
            _waiting.Append(line).Append('\n');
            if (_isWriting) return;
            _isWriting = true;
            _writing = Task.Run(Write);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task writing;
        lock (_gate) writing = _writing;
        await writing.WaitAsync(LastWriteTimeout, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Write()
    {
        while (TryTake(out var lines))
        {
            try
            {
                target.Write(lines);
            }
            catch (IOException)
            {
                // Whoever read has gone. The tunnel goes on; its lines concern nobody.
            }
        }
    }

    private bool TryTake(out string lines)
    {
        lock (_gate)
        {
            if (_lost > 0) _waiting.Append(CultureInfo.InvariantCulture, $"... {_lost} more requests are not shown: this output was not read\n");
            _lost = 0;
            lines = _waiting.ToString();
            _waiting.Clear();
            _isWriting = lines.Length > 0;
            return _isWriting;
        }
    }
}
