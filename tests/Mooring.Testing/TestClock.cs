namespace Mooring.Testing;

/// <summary>
/// A clock that moves only when told. Timers fire on the thread that calls <see cref="Advance"/>, ordered by due time and then
/// by creation, each seeing the clock at its own due time.
/// </summary>
public sealed class TestClock(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<TestTimer> _timers = [];
    private readonly DateTimeOffset _start = start ?? new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TaskCompletionSource _changed = NewSignal();
    private long _elapsedTicks;
    private long _setTicks;
    private long _created;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that are waiting for their time.</summary>
    public int ActiveTimers
    {
        get { lock (_lock) return _timers.Count; }
    }

    /// <summary>Due times of the waiting timers, as waits from now, soonest first.</summary>
    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_lock)
                return [.. _timers.Select(t => TimeSpan.FromTicks(t.DueTicks - _elapsedTicks)).Order()];
        }
    }

    public override DateTimeOffset GetUtcNow() => _start.AddTicks(Interlocked.Read(ref _elapsedTicks) + Interlocked.Read(ref _setTicks));

    public override long GetTimestamp() => Interlocked.Read(ref _elapsedTicks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new TestTimer(this, callback, state, Interlocked.Increment(ref _created));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock forward and fires what becomes due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        long target;
        lock (_lock) target = _elapsedTicks + by.Ticks;
        while (true)
        {
            TestTimer due;
            lock (_lock)
            {
                var next = _timers.Where(t => t.DueTicks <= target).MinBy(t => (t.DueTicks, t.Order));
                if (next is null)
                {
                    Interlocked.Exchange(ref _elapsedTicks, Math.Max(_elapsedTicks, target));
                    return;
                }
                due = next;
                Interlocked.Exchange(ref _elapsedTicks, Math.Max(_elapsedTicks, due.DueTicks));
                due.Rearm_NeedsLock();
            }
            due.Fire();
        }
    }

    /// <summary>Sets the clock forward or, with a negative time, back, as a person or a time server does: no time passes, and no timer fires.</summary>
    public void Set(TimeSpan by) => Interlocked.Add(ref _setTicks, by.Ticks);

    /// <summary>Moves the clock to the next due timer and fires it.</summary>
    public TimeSpan AdvanceToNextTimer()
    {
        var waits = Waits;
        if (waits.Count == 0) throw new InvalidOperationException("no timer is waiting");
        Advance(waits[0]);
        return waits[0];
    }

    /// <summary>Waits until the code under test has at least this many timers waiting; with it, no test needs to sleep.</summary>
    public async Task WhenTimersAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_timers.Count >= count) return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits until a timer is waiting that is due exactly this far from now.</summary>
    public async Task WhenTimerDueInAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_timers.Any(t => t.DueTicks - _elapsedTicks == wait.Ticks)) return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class TestTimer(TestClock clock, TimerCallback callback, object? state, long order) : ITimer
    {
        private long _periodTicks;
        private bool _disposed;

        public long DueTicks { get; private set; }

        public long Order => order;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            TaskCompletionSource changed;
            lock (clock._lock)
            {
                if (_disposed) return false;
                clock._timers.Remove(this);
                _periodTicks = period == Timeout.InfiniteTimeSpan ? 0 : period.Ticks;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    DueTicks = clock._elapsedTicks + dueTime.Ticks;
                    clock._timers.Add(this);
                }
                changed = clock._changed;
                clock._changed = NewSignal();
            }
            changed.TrySetResult();
            // As with the system's timers: due now means now, on a thread of the pool.
            if (dueTime == TimeSpan.Zero) ThreadPool.QueueUserWorkItem(_ => clock.Advance(TimeSpan.Zero));
            return true;
        }

        public void Rearm_NeedsLock()
        {
            if (_periodTicks > 0) DueTicks += _periodTicks;
            else clock._timers.Remove(this);
        }

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (clock._lock)
            {
                _disposed = true;
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
