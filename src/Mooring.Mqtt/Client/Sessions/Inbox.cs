using System.Buffers;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>
/// Received messages that wait for handlers. When it is full, reading from the broker pauses, but not for long: acknowledgements stand
/// behind the messages, and the handlers may wait for one, themselves or through others. Reading then goes on, and QoS 0 messages are
/// dropped. Messages of QoS 1 and 2 are kept: a broker sends few of them without an acknowledgement.
/// </summary>
internal sealed class Inbox(MqttClientLimits limits, TimeProvider time, ClientLog log)
{
    private const int BatchMessages = 256;

    /// <summary>QoS 1 and 2 may go beyond the bound in bytes this many times; then reading stops until there is room.</summary>
    private const int OverrunFactor = 4;

    private readonly Lock _lock = new();
    private readonly Queue<Inbound> _queue = new();
    private readonly SemaphoreSlim _filled = new(0);
    private TaskCompletionSource? _room;
    private long _bytes;
    private int _waitingHandlers;
    private bool _isOverrun;
    private bool _isDropping;
    private bool _closed;
    private long _dropped;

    /// <summary>QoS 0 messages dropped.</summary>
    internal long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Takes a message, now or when there is room; the task is complete in all but the slowest cases.</summary>
    internal ValueTask AddAsync(in Inbound inbound, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (TryAdd_NeedsLock(inbound)) return default;
            log.ReadingPaused(_queue.Count);
        }
        return AddLaterAsync(inbound, cancellationToken);
    }

    /// <summary>Waits for messages and takes some of them; false when the inbox is closed.</summary>
    internal async ValueTask<bool> TakeAsync(List<Inbound> batch)
    {
        batch.Clear();
        while (true)
        {
            if (TryTake(batch, out var closed)) return true;
            if (closed) return false;
            await _filled.WaitAsync().ConfigureAwait(false);
        }
    }

    internal void Close()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (var inbound in _queue) Release(inbound);
            _queue.Clear();
            Free_NeedsLock();
        }
        _filled.Release();
    }

    /// <summary>A handler begins to wait for an answer of the broker.</summary>
    internal void HandlerWaits()
    {
        lock (_lock)
        {
            _waitingHandlers++;
            _room?.TrySetResult();
            _room = null;
        }
    }

    internal void HandlerGoesOn()
    {
        lock (_lock) _waitingHandlers--;
    }

    internal static void Release(in Inbound inbound)
    {
        if (inbound.Rented is { } rented) ArrayPool<byte>.Shared.Return(rented);
    }

    private async ValueTask AddLaterAsync(Inbound inbound, CancellationToken cancellationToken)
    {
        var pause = limits.ReadingPause;
        while (true)
        {
            Task room;
            lock (_lock)
            {
                if (TryAdd_NeedsLock(inbound)) break;
                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }
            try
            {
                await room.WaitAsync(pause, time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                lock (_lock) _isOverrun = true;
                pause = Timeout.InfiniteTimeSpan;
            }
            catch (OperationCanceledException)
            {
                Release(inbound);
                throw;
            }
        }
        inbound.Connection.ReadingGoesOn();
    }

    private bool TryAdd_NeedsLock(in Inbound inbound)
    {
        if (_closed)
        {
            Release(inbound);
            return true;
        }
        if (_queue.Count >= limits.ReceivedMessages || _bytes > limits.ReceivedBytes)
        {
            if (!_isOverrun && _waitingHandlers == 0) return false;
            if (inbound.PacketId == 0)
            {
                Drop_NeedsLock(inbound);
                return true;
            }
            // A broker of 3.1.1 knows no Receive Maximum.
            if (_bytes > OverrunFactor * limits.ReceivedBytes) return false;
        }
        _queue.Enqueue(inbound);
        _bytes += inbound.Message.Payload.Length;
        if (_queue.Count == 1) _filled.Release();
        return true;
    }

    private void Drop_NeedsLock(in Inbound inbound)
    {
        Interlocked.Increment(ref _dropped);
        Release(inbound);
        if (!_isDropping) log.ReceivedDropped(_queue.Count);
        _isDropping = true;
    }

    private bool TryTake(List<Inbound> batch, out bool closed)
    {
        lock (_lock)
        {
            closed = _closed;
            while (batch.Count < BatchMessages && _queue.TryDequeue(out var next))
            {
                _bytes -= next.Message.Payload.Length;
                batch.Add(next);
            }
            if (_queue.Count < (limits.ReceivedMessages + 1) / 2 && _bytes <= limits.ReceivedBytes / 2) Free_NeedsLock();
            return batch.Count > 0;
        }
    }

    private void Free_NeedsLock()
    {
        (_isOverrun, _isDropping) = (false, false);
        _room?.TrySetResult();
        _room = null;
    }
}
