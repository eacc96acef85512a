namespace Mooring.Fleet.Modules.Polling;

/// <summary>
/// One thread that asks all pooled targets of one library in turn, those first that likely have something. When a target blocks, the thread becomes that
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
    // Each of them at most once.
    private readonly Queue<Poller> _urged = [];
    private Turn? _turn;
    private int _next;
    private long _roundSince = time.GetTimestamp();
    private TimeSpan? _pause;
    private long _pauseSince;
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

    /// <summary>Asks a target out of turn: most modules answer a status with a command, which should not wait for the next round.</summary>
    internal void Urge(Poller poller)
    {
        lock (_gate)
        {
            if (poller.IsUrged || poller.HasThread) return;
            poller.IsUrged = true;
            _urged.Enqueue(poller);
            if (_pause is not null) Monitor.Pulse(_gate);
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
            Remove_NeedsLock(blocked);
            blocked.HasThread = true;
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
            while (_pollers.Count > 0)
            {
                if (!TryTakeNext_NeedsLock(out poller)) continue;
                turn.Current = poller;
                turn.Since = time.GetTimestamp();
                return true;
            }
            _turn = null;
            _urged.Clear();
            poller = null!;
            return false;
        }
    }

    /// <summary>An urged target, or the round's next one; false after a pause between two rounds, or a part of it, or when the
    /// target has got a thread meanwhile.</summary>
    private bool TryTakeNext_NeedsLock(out Poller poller)
    {
        if (_urged.TryDequeue(out poller!))
        {
            poller.IsUrged = false;
            return !poller.HasThread;
        }
        if (_next < _pollers.Count)
        {
            poller = _pollers[_next++];
            return true;
        }
        Pause_NeedsLock();
        return false;
    }

    private void Pause_NeedsLock()
    {
        if (_pause is null)
        {
            var pause = time.GetElapsedTime(_roundSince) * PauseRatio;
            _pause = pause < interval ? interval : pause < PauseMax ? pause : PauseMax;
            _pauseSince = time.GetTimestamp();
        }
        var left = _pause.Value - time.GetElapsedTime(_pauseSince);
        if (left > TimeSpan.Zero && Monitor.Wait(_gate, left)) return;
        _pause = null;
        _next = 0;
        _roundSince = time.GetTimestamp();
    }

    /// <returns>False when the round is another thread's by now.</returns>
    private bool GiveBack(Turn turn, Poller poller, bool isLeft)
    {
        lock (_gate)
        {
            if (_turn != turn) return false;
            turn.Current = null;
            if (!isLeft) Remove_NeedsLock(poller);
            return true;
        }
    }

    private void Remove_NeedsLock(Poller poller)
    {
        // It is nearly always the one that the round was at.
        var index = _next > 0 && _pollers[_next - 1] == poller ? _next - 1 : _pollers.IndexOf(poller);
        if (index < 0) return;
        _pollers.RemoveAt(index);
        if (index < _next) _next--;
    }

    /// <summary>The right of one thread to make the round.</summary>
    private sealed class Turn
    {
        internal Poller? Current { get; set; }

        internal long Since { get; set; }
    }
}
