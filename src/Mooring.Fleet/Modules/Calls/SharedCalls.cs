namespace Mooring.Fleet.Modules.Calls;

/// <summary>Counts the module calls in progress on threads that all cars share.</summary>
internal sealed class SharedCalls(int max)
{
    private int _inProgress;

    internal bool TryEnter()
    {
        if (Interlocked.Increment(ref _inProgress) <= max) return true;
        Interlocked.Decrement(ref _inProgress);
        return false;
    }

    internal void Exit() => Interlocked.Decrement(ref _inProgress);
}
