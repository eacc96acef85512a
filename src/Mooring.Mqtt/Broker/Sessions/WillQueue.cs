using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>
/// Wills on their way. A thousand connections may be lost at once; their wills are published on the thread pool, a batch at a time,
/// and not on the thread that finds the connections closed, which has others to serve.
/// </summary>
internal sealed class WillQueue(Action<Will> publish, int capacity) : IThreadPoolWorkItem
{
    /// <summary>Wills published before other work of the pool gets its turn.</summary>
    private const int BatchWills = 64;

    private readonly Lock _gate = new();
    private readonly Queue<Will> _waiting = new(capacity: 4);
    private bool _isRunning;

    /// <summary>Queues a will; when the queue is full the caller publishes it, and so is slowed down.</summary>
    internal void Add(Will will)
    {
        lock (_gate)
        {
            if (_waiting.Count < capacity)
            {
                _waiting.Enqueue(will);
                if (_isRunning) return;
                _isRunning = true;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }
        }
        publish(will);
    }

    /// <summary>Publishes all that still waits, on this thread.</summary>
    internal void Drain()
    {
        while (Take() is { } will) publish(will);
    }

    public void Execute()
    {
        using (FlushBatch.Begin())
        {
            for (var i = 0; i < BatchWills; i++)
            {
                if (Take() is not { } will) break;
                publish(will);
            }
        }
        lock (_gate)
        {
            _isRunning = _waiting.Count > 0;
            if (_isRunning) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private Will? Take()
    {
        lock (_gate) return _waiting.TryDequeue(out var will) ? will : null;
    }
}
