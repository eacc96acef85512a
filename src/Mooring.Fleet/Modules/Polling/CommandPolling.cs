using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Calls;

namespace Mooring.Fleet.Modules.Polling;

/// <summary>Decides who asks a module for commands: a thread of its own, or the rounds of its library.</summary>
internal sealed class CommandPolling(PollingOptions options, ModuleLimits limits, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<PollRounds> _rounds = [];
    private ITimer? _watch;
    private int _threads;

    /// <summary>Rounds for one library.</summary>
    internal PollRounds CreateRounds()
    {
        var rounds = new PollRounds(options.Interval, limits.BlockingThreads, time);
        lock (_lock)
        {
            _rounds.Add(rounds);
            _watch ??= time.CreateTimer(_ => Check(), null, limits.BlockingAfter, limits.BlockingAfter);
        }
        return rounds;
    }

    internal Poller Start(IPollTarget target, TimeSpan timeout, PollRounds rounds)
    {
        var poller = new Poller(target, timeout, time);
        if (TryTakeThread()) poller.StartThread();
        else rounds.Add(poller);
        return poller;
    }

    public void Dispose() => _watch?.Dispose();

    private bool TryTakeThread()
    {
        switch (options.Mode)
        {
            case PollingMode.Threads:
                return true;
            case PollingMode.Pool:
                return false;
            default:
                lock (_lock)
                {
                    if (_threads >= options.ThreadsMax) return false;
                    _threads++;
                    return true;
                }
        }
    }

    private void Check()
    {
        PollRounds[] all;
        lock (_lock) all = [.. _rounds];
        foreach (var rounds in all) rounds.Check(limits.BlockingAfter);
    }
}
