namespace Mooring.Chat.Rooms;

/// <summary>
/// Sending. A session has no queue of room messages: it reads its rooms' logs. Only what is for this client alone is queued; each
/// such item remembers how far the logs had come, so that everything leaves in the order in which it happened.
/// </summary>
internal sealed partial class Session
{
    private const int Idle = 0;
    private const int Busy = 1;
    private const int BusyAndAskedAgain = 2;

    private readonly Lock _outGate = new();
    private Queue<OutItem>? _items;
    private ReadOnlyMemory<byte> _rest;
    private int _state;
    private int _itemBytes;
    private int _replyBytes;
    private long _keptBytes;
    private int _isMarked;
    private long _blockedSince = -1;
    private bool _isBroken;
    private bool _isFarewellSaid;
    private bool _isFinished;
    private bool _isOverflown;

    /// <summary>Whether the transport has failed: nothing can be sent any more.</summary>
    internal bool IsBroken => Volatile.Read(ref _isBroken);

    /// <summary>Timestamp since which the transport takes nothing; negative while it does.</summary>
    internal long BlockedSince => Volatile.Read(ref _blockedSince);

    /// <summary>Bytes that wait: its own and those of the rooms.</summary>
    internal long PendingBytes
    {
        get
        {
            long pending = Volatile.Read(ref _itemBytes) + (long)Volatile.Read(ref _replyBytes) + Volatile.Read(ref _keptBytes);
            foreach (var membership in Memberships) pending += Math.Max(membership.Lag, 0);
            return pending;
        }
    }

    /// <summary>Queues bytes for this client alone; they leave with the next flush. When too much is waiting already, that flush ends the session.</summary>
    internal void Enqueue(ReadOnlyMemory<byte> bytes)
    {
        if (_output is null) return;
        lock (_outGate) Enqueue_NeedsLock(bytes);
        Mark();
    }

    /// <summary>
    /// Queues what the client has asked for and what may be larger than its queue: a listing of everything, the history of a room. One such
    /// reply may be waiting; who asks for more of them without reading is too slow.
    /// </summary>
    internal void EnqueueReply(ReadOnlyMemory<byte> bytes)
    {
        if (_output is null) return;
        lock (_outGate)
        {
            if (_replyBytes > 0 || bytes.Length <= _hub.Options.Limits.SendQueueBytes / 4)
            {
                Enqueue_NeedsLock(bytes);
            }
            else if (!_isBroken && !_isOverflown)
            {
                _replyBytes = bytes.Length;
                Add_NeedsLock(bytes, OutKind.Reply);
            }
        }
        Mark();
    }

    /// <summary>Has the session flushed with the next batch.</summary>
    internal void Mark()
    {
        if (Interlocked.Exchange(ref _isMarked, 1) == 0) _hub.Outbox.Add(this);
    }

    internal void FlushMarked()
    {
        Interlocked.Exchange(ref _isMarked, 0);
        if (Volatile.Read(ref _isOverflown) && !IsClosing)
        {
            _isOverflown = false;
            _hub.TooSlow(this, null);
        }
        Flush(null);
    }

    /// <summary>Sends what there is, as far as the transport takes it; the rest follows by itself. Never waits.</summary>
    /// <param name="only">The one room that has something new, or null to look at all.</param>
    internal void Flush(Membership? only)
    {
        if (_output is not null && TryEnter()) Drain(only);
    }

    /// <summary>The transport has room again.</summary>
    internal void Resume()
    {
        Volatile.Write(ref _blockedSince, -1);
        if (_rest.IsEmpty || TryWriteRest()) Drain(null);
    }

    /// <summary>Starts to read a log at its end.</summary>
    internal void Attach(Membership membership, RoomLog log)
    {
        lock (_outGate)
        {
            membership.Log = log;
            membership.LeftOutSince = -1;
            (membership.Chunk, membership.Offset, _) = log.End();
        }
    }

    /// <summary>Stops reading a log. What was not read yet stays due unless the session is too slow for it.</summary>
    internal void Detach(Membership membership, bool keepUnread)
    {
        lock (_outGate)
        {
            if (keepUnread && membership is { Chunk: not null, Log: not null }) KeepUnread_NeedsLock(membership, OutKind.Own);
            if (membership is { LeftOutSince: >= 0 and var since, Log: { } log }) _hub.Counters.Dropped(log.Messages - since);
            membership.LeftOutSince = -1;
            membership.Chunk = null;
            membership.Log = null;
        }
        Mark();
    }

    /// <summary>The transport is gone: nothing is sent any more.</summary>
    internal void Break()
    {
        lock (_outGate)
        {
            Volatile.Write(ref _isBroken, true);
            _items = null;
            _itemBytes = 0;
            _replyBytes = 0;
            _keptBytes = 0;
        }
        Volatile.Write(ref _blockedSince, -1);
    }

    /// <summary>Cuts the connection.</summary>
    internal void Abort() => _output?.Abort();

    /// <summary>Puts what the log still has for the session into its queue, each piece in its place.</summary>
    private void KeepUnread_NeedsLock(Membership membership, OutKind kind)
    {
        var items = new Queue<OutItem>(4);
        foreach (var item in _items ?? [])
        {
            if (item.Membership == membership) KeepTo_NeedsLock(membership, item.UpTo, items, kind);
            else items.Enqueue(item);
        }
        KeepTo_NeedsLock(membership, membership.Log!.Head, items, kind);
        _items = items;
    }

    private void KeepTo_NeedsLock(Membership membership, long upTo, Queue<OutItem> items, OutKind kind)
    {
        while (TryTake_NeedsLock(membership, upTo, out var bytes))
        {
            items.Enqueue(new OutItem(bytes, null, 0) { Kind = kind });
            if (kind == OutKind.Kept) _keptBytes += bytes.Length;
            else _itemBytes += bytes.Length;
        }
    }

    private void Enqueue_NeedsLock(ReadOnlyMemory<byte> bytes)
    {
        if (_isBroken || _isOverflown) return;
        if (IsFull_NeedsLock(bytes.Length) && !IsClosing)
        {
            _isOverflown = true;
            return;
        }
        Add_NeedsLock(bytes, OutKind.Own);
        _itemBytes += bytes.Length;
    }

    // A batch of answers may be long; it is a queue only when the client does not take them.
    private bool IsFull_NeedsLock(int more)
    {
        var limits = _hub.Options.Limits;
        return _itemBytes + more > limits.SendQueueBytes
            || (limits.SendQueueMessages > 0 && BlockedSince >= 0 && _items?.Count >= limits.SendQueueMessages);
    }

    private void Add_NeedsLock(ReadOnlyMemory<byte> bytes, OutKind kind)
    {
        _items ??= new Queue<OutItem>(4);
        foreach (var membership in Memberships)
            if (membership.Lag > 0) _items.Enqueue(new OutItem(default, membership, membership.Log!.Head));
        _items.Enqueue(new OutItem(bytes, null, 0) { Kind = kind });
    }

    private bool TryEnter()
    {
        while (true)
        {
            if (Interlocked.CompareExchange(ref _state, Busy, Idle) == Idle) return true;
            if (Interlocked.CompareExchange(ref _state, BusyAndAskedAgain, Busy) != Idle) return false;
        }
    }

    private bool TryLeave()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Busy) == Busy) return true;
        Volatile.Write(ref _state, Busy);
        return false;
    }

    /// <summary>Sends until nothing is left or the transport is full; then it keeps the session busy until <see cref="Resume"/>.</summary>
    private void Drain(Membership? only)
    {
        while (true)
        {
            while (TryTake(only, out var bytes))
            {
                var taken = _output!.TryWrite(bytes);
                if (taken == bytes.Length) continue;
                _rest = bytes[taken..];
                Volatile.Write(ref _blockedSince, _hub.Time.GetTimestamp());
                _output.ResumeWhenWritable();
                return;
            }
            FinishOnce();
            if (TryLeave()) return;
            only = null;
        }
    }

    private bool TryWriteRest()
    {
        if (!IsBroken)
        {
            var taken = _output!.TryWrite(_rest);
            if (taken < _rest.Length)
            {
                _rest = _rest[taken..];
                Volatile.Write(ref _blockedSince, _hub.Time.GetTimestamp());
                _output.ResumeWhenWritable();
                return false;
            }
        }
        _rest = default;
        return true;
    }

    private void FinishOnce()
    {
        if (_isFinished || !Volatile.Read(ref _isFarewellSaid)) return;
        _isFinished = true;
        _output!.Finish();
    }

    /// <summary>
    /// The next bytes to send, which always end with a message; the cursor or queue has moved past them when this returns. So whatever
    /// ends the session while they are on their way, its last words do not land inside of a message.
    /// </summary>
    private bool TryTake(Membership? only, out ReadOnlyMemory<byte> bytes)
    {
        lock (_outGate)
        {
            bytes = default;
            if (_isBroken) return false;
            while (_items is { Count: > 0 } items)
            {
                var item = items.Peek();
                if (item.Membership is { } membership)
                {
                    if (TryTake_NeedsLock(membership, item.UpTo, out bytes)) return true;
                    items.Dequeue();
                    continue;
                }
                items.Dequeue();
                Settle_NeedsLock(item);
                bytes = item.Bytes;
                return true;
            }
            _items = null;
            GoOn_NeedsLock();
            if (only is not null) return TryTake_NeedsLock(only, long.MaxValue, out bytes);
            foreach (var membership in Memberships)
                if (TryTake_NeedsLock(membership, long.MaxValue, out bytes)) return true;
            return false;
        }
    }

    private void Settle_NeedsLock(in OutItem item)
    {
        switch (item.Kind)
        {
            case OutKind.Reply:
                _replyBytes = 0;
                break;
            case OutKind.Kept:
                _keptBytes -= item.Bytes.Length;
                break;
            default:
                _itemBytes -= item.Bytes.Length;
                break;
        }
    }

    private bool TryTake_NeedsLock(Membership membership, long upTo, out ReadOnlyMemory<byte> bytes)
    {
        if (TryTakeGap_NeedsLock(membership, out bytes)) return true;
        while (membership.Chunk is { } chunk)
        {
            var next = chunk.Next;
            var used = (int)Math.Min(chunk.Used, upTo - chunk.Start);
            if (membership.Offset < used)
            {
                var length = used - membership.Offset;
                bytes = chunk.Bytes.AsMemory(membership.Offset, length);
                membership.Offset += length;
                return true;
            }
            if (next is null || chunk.Start + membership.Offset >= upTo) return false;
            (membership.Chunk, membership.Offset) = (next, 0);
        }
        return false;
    }

    /// <summary>As what an item counts.</summary>
    private enum OutKind
    {
        /// <summary>Something for this client, within its queue's bound.</summary>
        Own,

        /// <summary>The one large reply.</summary>
        Reply,

        /// <summary>What a slow member had not read when it began to leave messages out; the room's bound holds for it.</summary>
        Kept,
    }

    private readonly struct OutItem(ReadOnlyMemory<byte> bytes, Membership? membership, long upTo)
    {
        internal ReadOnlyMemory<byte> Bytes { get; } = bytes;

        internal OutKind Kind { get; init; }

        internal Membership? Membership { get; } = membership;

        /// <summary>How far the membership's log is to be sent before what follows in the queue.</summary>
        internal long UpTo { get; } = upTo;
    }
}
