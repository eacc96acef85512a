namespace Mooring.Fleet.Modules.Polling;

/// <summary>
/// One thread that asks all pooled targets of one library in turn. When a target blocks, the thread becomes that
/// target's own and another one goes on with the round; a library that does it again gets a thread for each target.
/// </summary>
/// <param name="interval">Shortest pause between two rounds.</param>
/// <param name="blockingMax">Threads for targets that block.</param>
/// <param name="time">Clock.</param>
internal sealed class PollRounds(TimeSpan interval, int blockingMax, TimeProvider time)
{
    /// <summary>So many targets may block, each on its own account, before the library as a whole counts as blocking.</summary>
    private const int BlockersMax = 3;

    /// <summary>The pause is at least so many times as long as the round before it: thousands of idle cars cost a tenth of a processor.</summary>
    private const int PauseRatio = 9;

    /// <summary>Longest pause, also after a round that was held up.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(500);

    private readonly object _gate = new();
    // As many as there are cars with this library.
    private readonly List<Poller> _pollers = [];
    private Turn? _turn;
    private int _next;
    private long _roundSince = time.GetTimestamp();
    private int _blocking;

    /// <summary>Targets that have a thread because they block.</summary>
    internal int Blocking
    {
        get { lock (_gate) return _blocking; }
    }

    internal void Add(Poller poller)
    {
        lock (_gate)
        {
            if (_blocking >= BlockersMax && TryStartBlocking_NeedsLock(poller)) return;
            _pollers.Add(poller);
            if (_turn is null) StartTurn_NeedsLock();
        }
    }

    /// <summary>Gives the round to another thread when the one that has it is held up.</summary>
    internal void Check(TimeSpan blockingAfter)
    {
        Poller? blocked;
        lock (_gate)
        {
            blocked = _turn?.Current;
            if (blocked is null || _blocking >= blockingMax || time.GetElapsedTime(_turn!.Since) < blockingAfter) return;
            _blocking++;
            _pollers.Remove(blocked);
            _turn = null;
            if (_blocking >= BlockersMax) _pollers.RemoveAll(TryStartBlocking_NeedsLock);
            if (_pollers.Count > 0) StartTurn_NeedsLock();
        }
        blocked.Target.OnBlocks();
    }

    private bool TryStartBlocking_NeedsLock(Poller poller)
    {
        if (_blocking >= blockingMax) return false;
        _blocking++;
        poller.StartThread();
        return true;
    }

    private void StartTurn_NeedsLock()
    {
        var turn = _turn = new Turn();
        new Thread(() => Run(turn)) { IsBackground = true, Name = "module command rounds" }.Start();
    }

    private void Run(Turn turn)
    {
        while (TryTake(turn, out var poller))
        {
            var isLeft = poller.TryPoll();
            if (GiveBack(turn, poller, isLeft)) continue;
            poller.Run();
            lock (_gate) _blocking--;
            return;
        }
    }

    private bool TryTake(Turn turn, out Poller poller)
    {
        lock (_gate)
        {
            if (_next >= _pollers.Count)
            {
                _next = 0;
                if (_pollers.Count > 0) Pause_NeedsLock();
            }
            if (_pollers.Count == 0)
            {
                _turn = null;
                poller = null!;
                return false;
            }
            poller = _pollers[_next++];
            turn.Current = poller;
            turn.Since = time.GetTimestamp();
            return true;
        }
    }

    private void Pause_NeedsLock()
    {
        var pause = time.GetElapsedTime(_roundSince) * PauseRatio;
        Monitor.Wait(_gate, pause < interval ? interval : pause < PauseMax ? pause : PauseMax);
        _roundSince = time.GetTimestamp();
    }

    /// <returns>False when the round is another thread's by now.</returns>
    private bool GiveBack(Turn turn, Poller poller, bool isLeft)
    {
        lock (_gate)
        {
            if (_turn != turn) return false;
            turn.Current = null;
            if (isLeft) return true;
            _pollers.RemoveAt(--_next);
            return true;
        }
    }

    /// <summary>The right of one thread to make the round.</summary>
    private sealed class Turn
    {
        internal Poller? Current { get; set; }

        internal long Since { get; set; }
    }
}
