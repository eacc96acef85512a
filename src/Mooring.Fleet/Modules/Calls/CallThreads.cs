namespace Mooring.Fleet.Modules.Calls;

/// <summary>
/// Threads for calls into one library that may block. Each library has its own, so that one that hangs takes no thread
/// of another; they come when calls wait and go when none do.
/// </summary>
/// <param name="name">Name of the threads.</param>
/// <param name="threadsMax">So many calls of one library may block at a time.</param>
internal sealed class CallThreads(string name, int threadsMax)
{
    /// <summary>A thread without work ends after this time.</summary>
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(10);

    /// <summary>Libraries run on these stacks, with HTTP and TLS in them; 1 MiB of address space costs only what is touched.</summary>
    private const int StackBytes = 1 << 20;

    private readonly object _gate = new();
    // A queue is in here once at most, so there are no more than cars with this library.
    private readonly Queue<CallQueue> _ready = [];
    private int _threads;
    private int _idle;

    internal int Threads
    {
        get { lock (_gate) return _threads; }
    }

    internal void Schedule(CallQueue queue)
    {
        lock (_gate)
        {
            _ready.Enqueue(queue);
            if (_ready.Count <= _idle) Monitor.Pulse(_gate);
            else if (_threads < threadsMax) StartThread_NeedsLock();
        }
    }

    private void StartThread_NeedsLock()
    {
        _threads++;
        new Thread(Run, StackBytes) { IsBackground = true, Name = name }.Start();
    }

    private void Run()
    {
        while (TryTake(out var queue)) queue.Drain();
    }

    private bool TryTake(out CallQueue queue)
    {
        lock (_gate)
        {
            while (_ready.Count == 0)
            {
                _idle++;
                var isCalled = Monitor.Wait(_gate, IdleMax);
                _idle--;
                if (isCalled || _ready.Count > 0) continue;
                _threads--;
                queue = null!;
                return false;
            }
            queue = _ready.Dequeue();
            return true;
        }
    }
}
