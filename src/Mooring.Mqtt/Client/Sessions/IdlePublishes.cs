namespace Mooring.Mqtt.Client.Sessions;

/// <summary>Objects of messages that are done, for the next ones: publishing at full speed leaves the garbage collector alone.</summary>
internal sealed class IdlePublishes(ClientSession session)
{
    /// <summary>As many as wait and are in flight at most by default; more are left to the garbage collector.</summary>
    private const int IdleMax = 1280;

    private readonly Lock _lock = new();
    private readonly Stack<PendingPublish> _idle = new();

    internal PendingPublish Take()
    {
        lock (_lock)
        {
            if (_idle.TryPop(out var idle)) return idle;
        }
        return new PendingPublish(session);
    }

    internal void Return(PendingPublish pending)
    {
        lock (_lock)
        {
            if (_idle.Count < IdleMax) _idle.Push(pending);
        }
    }
}
