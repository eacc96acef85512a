using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Mqtt.Broker.Local;

/// <summary>
/// Messages that wait for the handlers of one in-process client, bounded by count and bytes. Publishers of this process wait at half
/// of the bounds, connections a little at three quarters; beyond the whole of them nothing is kept, so that handlers that cannot keep up do not fill the memory.
/// </summary>
internal sealed class LocalInbox(MqttBroker broker) : ICrowdedReceiver
{
    private const int BatchMessages = 256;

    private readonly Lock _gate = new();
    private readonly Queue<(Delivery Delivery, LocalHandler? Only)> _queue = new(capacity: 4);
    private readonly Queue<(RetainedCursor Cursor, LocalHandler Handler)> _retained = new(capacity: 1);
    private readonly PublisherHold _hold = new(broker.Options.Limits.PublisherHold);
    private readonly SemaphoreSlim _signal = new(0, 1);
    private long _bytes;
    private bool _isClosed;
    private TaskCompletionSource? _room;

    /// <summary>Keeps a message, for all handlers that match or for <paramref name="only"/> one; drops and counts it when there is no room.</summary>
    internal void Add(in Delivery delivery, LocalHandler? only = null)
    {
        lock (_gate)
        {
            if (_isClosed) return;
            if (_queue.Count >= broker.Options.Limits.LocalQueuedMessages || _bytes >= broker.Options.Limits.LocalQueuedBytes)
            {
                broker.Counters.DroppedQueueFull();
                return;
            }
            _queue.Enqueue((delivery, only));
            _bytes += delivery.Message.Size;
            Signal_NeedsLock();
            if (IsCrowded_NeedsLock()) delivery.Message.Publisher?.Connection?.Crowds(this);
        }
    }

    /// <inheritdoc/>
    public long? TryHold(BrokerConnection publisher)
    {
        lock (_gate) return HasRoom_NeedsLock() || _isClosed ? null : _hold.TryAdd(publisher, publisher.Now);
    }

    /// <summary>Retained messages for a new subscription with wildcards: taken from the store as there is room.</summary>
    internal void Add(RetainedCursor cursor, LocalHandler handler)
    {
        lock (_gate)
        {
            _retained.Enqueue((cursor, handler));
            Signal_NeedsLock();
        }
    }

    /// <summary>No more retained messages for <paramref name="handler"/>.</summary>
    internal void Cancel(LocalHandler handler)
    {
        lock (_gate)
        {
            foreach (var (cursor, _) in _retained.Where(entry => entry.Handler == handler)) cursor.Cancel();
        }
    }

    /// <summary>Completes when publishers may go on; at once when this is closed.</summary>
    internal Task WaitForRoomAsync()
    {
        lock (_gate)
        {
            if (HasRoom_NeedsLock() || _isClosed) return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    /// <summary>The worker's side: the next messages, in order. False once this is closed.</summary>
    internal async ValueTask<bool> TakeAsync(List<(Delivery Delivery, LocalHandler? Only)> batch)
    {
        batch.Clear();
        while (!Take(batch))
        {
            if (StepRetained()) continue;
            await _signal.WaitAsync().ConfigureAwait(false);
            lock (_gate)
            {
                if (_isClosed) return false;
            }
        }
        return true;
    }

    /// <summary>Drops what waits; nobody waits for room any more, and the worker ends.</summary>
    internal void Close()
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            _isClosed = true;
            _queue.Clear();
            _retained.Clear();
            room = TakeRoom_NeedsLock();
            _hold.Release();
            Signal_NeedsLock();
        }
        room?.TrySetResult();
    }

    private bool Take(List<(Delivery Delivery, LocalHandler? Only)> batch)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            while (batch.Count < BatchMessages && _queue.TryDequeue(out var next))
            {
                batch.Add(next);
                _bytes -= next.Delivery.Message.Size;
            }
            if (HasRoom_NeedsLock())
            {
                room = TakeRoom_NeedsLock();
                _hold.Release();
            }
        }
        room?.TrySetResult();
        return batch.Count > 0;
    }

    /// <summary>True when a step was made, and there may be something to take.</summary>
    private bool StepRetained()
    {
        (RetainedCursor Cursor, LocalHandler Handler) next;
        lock (_gate)
        {
            if (!_retained.TryPeek(out next)) return false;
        }
        if (next.Cursor.Step(broker.Now, HasRoom, delivery => Add(delivery, next.Handler))) return true;
        next.Cursor.Dispose();
        lock (_gate) return _retained.TryDequeue(out _);
    }

    private bool HasRoom()
    {
        lock (_gate) return HasRoom_NeedsLock();
    }

    private bool HasRoom_NeedsLock() =>
        _queue.Count < broker.Options.Limits.LocalQueuedMessages / 2 && _bytes < broker.Options.Limits.LocalQueuedBytes / 2;

    private bool IsCrowded_NeedsLock() =>
        _queue.Count > broker.Options.Limits.LocalQueuedMessages / 4 * 3 || _bytes > broker.Options.Limits.LocalQueuedBytes / 4 * 3;

    private TaskCompletionSource? TakeRoom_NeedsLock()
    {
        var room = _room;
        _room = null;
        return room;
    }

    private void Signal_NeedsLock()
    {
        if (_signal.CurrentCount == 0) _signal.Release();
    }
}
