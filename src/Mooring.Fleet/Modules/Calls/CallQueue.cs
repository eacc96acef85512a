namespace Mooring.Fleet.Modules.Calls;

/// <summary>
/// The calls of one car into one module: in order, one at a time. A quick module is called on the caller's thread;
/// one that was slow, or is being called already, on a thread of its library.
/// </summary>
/// <param name="target">Makes the calls.</param>
/// <param name="threads">Threads of the library.</param>
/// <param name="shared">Counts the calls in progress on callers' threads, over all modules.</param>
/// <param name="limits">Bounds.</param>
/// <param name="time">Clock.</param>
internal sealed class CallQueue(ICallTarget target, CallThreads threads, SharedCalls shared, ModuleLimits limits, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = [];
    private bool _isRunning;
    private bool _isOverdue;
    private bool _isClosed;
    private long _slowSince;
    private bool _wasSlow;

    /// <summary>
    /// Completes with the module's code when the call is made, or with null when the module takes too long; the call is
    /// then made later, as long as there is room for it.
    /// </summary>
    internal ValueTask<int?> RunAsync(in ModuleCall call)
    {
        Waiting waiting;
        lock (_lock)
        {
            if (_isClosed) return new((int?)null);
            _isClosed = call.Kind == ModuleCallKind.Destroy;
            if (!_isRunning && MayShare())
            {
                _isRunning = true;
                waiting = default;
            }
            else
            {
                waiting = Enqueue_NeedsLock(call);
                if (waiting.Done is null) return new((int?)null);
            }
        }
        return waiting.Done is null ? RunHere(call) : WaitAsync(waiting);
    }

    /// <summary>Makes the calls that wait; called by a thread of the library.</summary>
    internal void Drain()
    {
        while (true)
        {
            Waiting next;
            lock (_lock)
            {
                if (!_waiting.TryDequeue(out next))
                {
                    End_NeedsLock();
                    return;
                }
            }
            var startedAt = time.GetTimestamp();
            var code = target.CallAsync(next.Call);
            if (!code.IsCompleted)
            {
                _ = DrainLaterAsync(next, code);
                return;
            }
            NoteSpeed(startedAt);
            next.Done!.TrySetResult(code.Result);
        }
    }

    private bool MayShare()
    {
        if (_wasSlow && time.GetElapsedTime(_slowSince) < limits.SlowFor) return false;
        return !target.IsBusy && shared.TryEnter();
    }

    private ValueTask<int?> RunHere(in ModuleCall call)
    {
        var startedAt = time.GetTimestamp();
        ValueTask<int> code;
        try
        {
            code = target.CallAsync(call);
        }
        finally
        {
            shared.Exit();
        }
        if (!code.IsCompleted) return FinishAsync(code);
        NoteSpeed(startedAt);
        EndOrContinue();
        return new(code.Result);
    }

    private async ValueTask<int?> FinishAsync(ValueTask<int> code) => await WithinAsync(EndAsync(code));

    private async Task<int> EndAsync(ValueTask<int> code)
    {
        var result = await code;
        EndOrContinue();
        return result;
    }

    private async Task DrainLaterAsync(Waiting next, ValueTask<int> code)
    {
        next.Done!.TrySetResult(await code);
        threads.Schedule(this);
    }

    private Waiting Enqueue_NeedsLock(in ModuleCall call)
    {
        // The last call must not be lost: it frees what the module holds.
        if (_waiting.Count >= limits.WaitingCalls && call.Kind != ModuleCallKind.Destroy)
        {
            target.OnDropped(call);
            return default;
        }
        var waiting = new Waiting(call, new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
        _waiting.Enqueue(waiting);
        if (!_isRunning)
        {
            _isRunning = true;
            threads.Schedule(this);
        }
        return waiting;
    }

    private async ValueTask<int?> WaitAsync(Waiting waiting)
    {
        // A module that is overdue gets its calls when it answers again; its car goes on meanwhile.
        if (Volatile.Read(ref _isOverdue)) return null;
        return await WithinAsync(waiting.Done!.Task);
    }

    private async ValueTask<int?> WithinAsync(Task<int> call)
    {
        try
        {
            return await call.WaitAsync(limits.CallMax, time);
        }
        catch (TimeoutException)
        {
            lock (_lock)
            {
                // It may have come back in this very moment; then nothing would clear the mark.
                if (_isOverdue || !_isRunning) return null;
                _isOverdue = true;
            }
            target.OnOverdue();
            return null;
        }
    }

    private void NoteSpeed(long startedAt)
    {
        if (time.GetElapsedTime(startedAt) <= limits.QuickMax) return;
        _slowSince = time.GetTimestamp();
        _wasSlow = true;
    }

    private void EndOrContinue()
    {
        lock (_lock)
        {
            if (_waiting.Count > 0) threads.Schedule(this);
            else End_NeedsLock();
        }
    }

    private void End_NeedsLock()
    {
        _isRunning = false;
        if (_isOverdue)
        {
            _isOverdue = false;
            target.OnRecovered();
        }
    }

    private readonly record struct Waiting(ModuleCall Call, TaskCompletionSource<int>? Done);
}
