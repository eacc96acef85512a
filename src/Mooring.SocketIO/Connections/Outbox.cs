using System.Threading.Tasks.Sources;

namespace Mooring.SocketIO.Connections;

/// <summary>
/// What waits to go to one peer: many writers, one reader (a WebSocket's sender, or the request that polls). The reader takes all
/// there is at once, so that it can be flushed once.
/// </summary>
internal sealed class Outbox(int bytesMax, int packetsMax) : IValueTaskSource<bool>, IDisposable
{
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _reader = new() { RunContinuationsAsynchronously = true };
    private OutboxBatch? _waiting;
    private OutboxBatch? _spare;
    private TaskCompletionSource? _room;
    private bool _readerWaits;
    private bool _woken;
    private bool _closed;

    public bool IsClosed
    {
        get { lock (_lock) return _closed; }
    }

    /// <summary>Adds a packet and its attachments, which stay together.</summary>
    public OutboxResult TryAdd(ReadOnlySpan<byte> packet, IReadOnlyList<ReadOnlyMemory<byte>>? attachments = null)
    {
        bool wake;
        lock (_lock)
        {
            if (_closed) return OutboxResult.Closed;
            if (IsFull_NeedsLock) return OutboxResult.Full;
            Add_NeedsLock(packet, attachments);
            wake = TakeReader_NeedsLock();
        }
        if (wake) _reader.SetResult(true);
        return OutboxResult.Added;
    }

    /// <summary>Adds a packet of the connection itself, such as a ping, even when the queue is full: there are few and they are small.</summary>
    public void AddUrgent(ReadOnlySpan<byte> packet)
    {
        bool wake;
        lock (_lock)
        {
            if (_closed) return;
            Add_NeedsLock(packet, null);
            wake = TakeReader_NeedsLock();
        }
        if (wake) _reader.SetResult(true);
    }

    /// <summary>Waits until a packet may fit again, or the outbox is closed.</summary>
    public Task WhenRoomAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_closed || !IsFull_NeedsLock) return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits until there is something to take, or nothing will come any more, or <see cref="WakeReader"/>.</summary>
    /// <returns>False when nothing will come any more.</returns>
    public ValueTask<bool> ReadyAsync()
    {
        lock (_lock)
        {
            if (_waiting is { Count: > 0 }) return ValueTask.FromResult(true);
            if (_closed) return ValueTask.FromResult(false);
            if (_woken)
            {
                _woken = false;
                return ValueTask.FromResult(true);
            }
            if (_readerWaits) throw new InvalidOperationException("two readers of one outbox");
            _reader.Reset();
            _readerWaits = true;
            return new ValueTask<bool>(this, _reader.Version);
        }
    }

    /// <summary>Ends the reader's wait, or its next one when it does not wait now, although there is nothing to take.</summary>
    public void WakeReader()
    {
        bool wake;
        lock (_lock)
        {
            wake = TakeReader_NeedsLock();
            _woken = !wake;
        }
        if (wake) _reader.SetResult(true);
    }

    /// <summary>Takes everything; null when there is nothing. Give it back with <see cref="Return"/>.</summary>
    public OutboxBatch? Take()
    {
        OutboxBatch? batch;
        TaskCompletionSource? room;
        lock (_lock)
        {
            if (_waiting is not { Count: > 0 }) return null;
            (batch, _waiting) = (_waiting, _spare);
            _spare = null;
            (room, _room) = (_room, null);
        }
        room?.TrySetResult();
        return batch;
    }

    /// <summary>The batch was sent. Its buffer is used again while the peer is busy and given back to the pool when it is not.</summary>
    public void Return(OutboxBatch batch)
    {
        lock (_lock)
        {
            if (_waiting is { Count: > 0 }) batch.Clear();
            else batch.Dispose();
            _spare ??= batch;
        }
    }

    /// <summary>Takes no more packets. What is in it can still be taken.</summary>
    public void Close()
    {
        bool wake;
        TaskCompletionSource? room;
        lock (_lock)
        {
            _closed = true;
            wake = TakeReader_NeedsLock();
            (room, _room) = (_room, null);
        }
        if (wake) _reader.SetResult(false);
        room?.TrySetResult();
    }

    public void Dispose()
    {
        Close();
        lock (_lock)
        {
            _waiting?.Dispose();
            _spare?.Dispose();
            (_waiting, _spare) = (null, null);
        }
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _reader.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _reader.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _reader.OnCompleted(continuation, state, token, flags);

    private bool IsFull_NeedsLock => _waiting is { Count: > 0 } waiting && (waiting.Bytes >= bytesMax || waiting.Count >= packetsMax);

    private void Add_NeedsLock(ReadOnlySpan<byte> packet, IReadOnlyList<ReadOnlyMemory<byte>>? attachments)
    {
        _waiting ??= new OutboxBatch();
        _waiting.Add(packet, isBinary: false);
        if (attachments is null) return;
        foreach (var attachment in attachments) _waiting.Add(attachment.Span, isBinary: true);
    }

    private bool TakeReader_NeedsLock()
    {
        var waits = _readerWaits;
        _readerWaits = false;
        return waits;
    }
}
