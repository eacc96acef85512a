namespace Mooring.Fleet.Modules.Polling;

/// <summary>Asks one target for commands, on a thread of its own or when a round comes by.</summary>
internal sealed class Poller(IPollTarget target, TimeSpan timeout, TimeProvider time)
{
    /// <summary>Waiting for commands may go deep into an HTTP client; only what is touched costs memory.</summary>
    private const int StackBytes = 512 << 10;

    private readonly ManualResetEventSlim _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _createdAt = time.GetTimestamp();
    private TimeSpan _notBefore;

    internal IPollTarget Target => target;

    /// <summary>Whether a thread of its own asks it.</summary>
    internal bool HasThread { get; set; }

    /// <summary>Whether it is to be asked out of turn; the rounds' own.</summary>
    internal bool IsUrged { get; set; }

    internal void StartThread()
    {
        HasThread = true;
        new Thread(Run, StackBytes) { IsBackground = true, Name = "module commands" }.Start();
    }

    /// <summary>Asks until stopped.</summary>
    internal void Run()
    {
        while (!_stop.IsSet)
        {
            var pause = target.Poll(timeout);
            if (pause > TimeSpan.Zero) _stop.Wait(pause);
        }
        _ended.TrySetResult();
    }

    /// <summary>Asks without waiting, unless the target is to be left alone.</summary>
    /// <returns>False when stopped.</returns>
    internal bool TryPoll()
    {
        if (_stop.IsSet)
        {
            _ended.TrySetResult();
            return false;
        }
        var now = time.GetElapsedTime(_createdAt);
        if (now < _notBefore) return true;
        var pause = target.Poll(TimeSpan.Zero);
        if (pause > TimeSpan.Zero) _notBefore = now + pause;
        return true;
    }

    /// <summary>Completes when the target is not asked any more.</summary>
    internal Task StopAsync()
    {
        _stop.Set();
        return _ended.Task;
    }
}
