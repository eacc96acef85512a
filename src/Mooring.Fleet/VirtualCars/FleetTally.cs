namespace Mooring.Fleet.VirtualCars;

/// <summary>What all virtual cars have done together. Many cars count, anyone reads.</summary>
internal sealed class FleetTally
{
    private readonly Lock _lock = new();
    private readonly List<(Func<int, bool> IsReached, TaskCompletionSource Reached)> _waiting = [];
    private int _running;

    internal Count Sessions { get; } = new();

    internal Count Ended { get; } = new();

    internal Count StatusesSent { get; } = new();

    internal Count StatusesAnswered { get; } = new();

    internal Count Commands { get; } = new();

    internal Count EmptyCommands { get; } = new();

    internal RoundTripTimes RoundTrips { get; } = new();

    internal int CarsRunning => Volatile.Read(ref _running);

    internal void Running(int change)
    {
        lock (_lock)
        {
            _running += change;
            foreach (var (_, reached) in _waiting.FindAll(w => w.IsReached(_running))) reached.TrySetResult();
            _waiting.RemoveAll(w => w.Reached.Task.IsCompleted);
        }
    }

    internal void OnAnswered(TimeSpan roundTrip)
    {
        StatusesAnswered.Increment();
        RoundTrips.Add(roundTrip);
    }

    internal void OnCommand(bool isEmpty) => (isEmpty ? EmptyCommands : Commands).Increment();

    /// <summary>Completes when the number of running cars is one that is waited for.</summary>
    internal Task WhenRunningAsync(Func<int, bool> isReached, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (isReached(_running)) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((isReached, reached));
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A number that only grows.</summary>
    internal sealed class Count
    {
        private long _value;

        internal long Value => Interlocked.Read(ref _value);

        internal void Increment() => Interlocked.Increment(ref _value);
    }
}
