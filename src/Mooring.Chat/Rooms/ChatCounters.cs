namespace Mooring.Chat.Rooms;

/// <summary>What the server has done, for the status and the metrics.</summary>
internal sealed class ChatCounters
{
    private static readonly int Transports = Enum.GetValues<SessionTransport>().Length;
    private static readonly int Reasons = Enum.GetValues<CloseReason>().Length;

    private readonly int[] _open = new int[Transports];
    private readonly long[] _closed = new long[Reasons];
    private long _messagesIn;
    private long _deliveries;
    private long _dropped;
    private long _slowConsumers;
    private long _rateLimited;
    private long _refused;
    private long _registered;

    internal long MessagesIn => Interlocked.Read(ref _messagesIn);

    internal long Deliveries => Interlocked.Read(ref _deliveries);

    internal long MessagesDropped => Interlocked.Read(ref _dropped);

    internal long SlowConsumerCloses => Interlocked.Read(ref _slowConsumers);

    internal long RateLimitHits => Interlocked.Read(ref _rateLimited);

    internal long ConnectionsRefused => Interlocked.Read(ref _refused);

    internal long Registrations => Interlocked.Read(ref _registered);

    internal int Open(SessionTransport transport) => Volatile.Read(ref _open[(int)transport]);

    internal long ClosedFor(CloseReason reason) => Interlocked.Read(ref _closed[(int)reason]);

    internal void Accepted(int deliveries)
    {
        Interlocked.Increment(ref _messagesIn);
        Interlocked.Add(ref _deliveries, deliveries);
    }

    internal void Delivered(int deliveries) => Interlocked.Add(ref _deliveries, deliveries);

    internal void Dropped(long messages) => Interlocked.Add(ref _dropped, messages);

    internal void SlowConsumer() => Interlocked.Increment(ref _slowConsumers);

    internal void RateLimited() => Interlocked.Increment(ref _rateLimited);

    internal void Refused() => Interlocked.Increment(ref _refused);

    internal void Registered() => Interlocked.Increment(ref _registered);

    internal void Opened(SessionTransport transport) => Interlocked.Increment(ref _open[(int)transport]);

    internal void Closed(SessionTransport transport, CloseReason reason)
    {
        Interlocked.Decrement(ref _open[(int)transport]);
        Interlocked.Increment(ref _closed[(int)reason]);
    }
}
