using System.Text.Json.Serialization.Metadata;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO;

/// <summary>
/// An event from the other end. Its values are lent to the handler: they can be read until the task that the handler returned has
/// ended. What is to be kept must be read out before.
/// </summary>
public sealed class SocketIOEvent : SocketIOValues
{
    private readonly IConversation _conversation;
    private readonly long? _id;
    private PooledFrame _frame;
    private bool _isReleased;
    private int _isAnswered;

    internal SocketIOEvent(
        IConversation conversation, string name, long? id, PooledFrame frame, Slice[] slices, int count,
        IReadOnlyList<ReadOnlyMemory<byte>> attachments)
        : base(slices, 1, count - 1, attachments) => (_conversation, Name, _id, _frame) = (conversation, name, id, frame);

    /// <summary>The event's name.</summary>
    public string Name { get; }

    /// <summary>Whether the peer waits for an acknowledgement. Without one its call runs into a time-out.</summary>
    public bool WantsAck => _id is not null;

    /// <summary>Whether the event was acknowledged.</summary>
    public bool IsAnswered => Volatile.Read(ref _isAnswered) != 0;

    private protected override ReadOnlySpan<byte> Frame => Volatile.Read(ref _isReleased)
        ? throw new ObjectDisposedException(nameof(SocketIOEvent), "an event can be read until its handler has ended")
        : _frame.Span;

    /// <summary>Acknowledges the event without a value. Does nothing when the peer wants no acknowledgement.</summary>
    /// <param name="cancellationToken">Gives up waiting for room in the peer's queue.</param>
    /// <returns>When the acknowledgement stands in the queue.</returns>
    /// <exception cref="SocketIOCallException">it cannot be sent; one that is too large may be followed by another</exception>
    public ValueTask AckAsync(CancellationToken cancellationToken = default) => AckAsync(null, cancellationToken);

    /// <summary>Acknowledges the event. Does nothing when the peer wants no acknowledgement.</summary>
    /// <param name="arguments">What the peer's call returns.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the peer's queue.</param>
    /// <returns>When the acknowledgement stands in the queue.</returns>
    /// <exception cref="SocketIOCallException">it cannot be sent; one that is too large may be followed by another</exception>
    public ValueTask AckAsync(SocketIOArguments? arguments, CancellationToken cancellationToken = default)
    {
        if (!TakeTurn(out var id)) return ValueTask.CompletedTask;
        var packet = _conversation.RentWriter();
        packet.WriteAck(_conversation.Namespace, id, arguments);
        return SendAsync(packet, cancellationToken);
    }

    /// <summary>Acknowledges the event with one value. Does nothing when the peer wants no acknowledgement.</summary>
    /// <typeparam name="T">Type of the value.</typeparam>
    /// <param name="value">What the peer's call returns.</param>
    /// <param name="type">How it is written, from a source-generated context.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the peer's queue.</param>
    /// <returns>When the acknowledgement stands in the queue.</returns>
    /// <exception cref="SocketIOCallException">it cannot be sent; one that is too large may be followed by another</exception>
    public ValueTask AckAsync<T>(T value, JsonTypeInfo<T> type, CancellationToken cancellationToken = default)
    {
        if (!TakeTurn(out var id)) return ValueTask.CompletedTask;
        var packet = _conversation.RentWriter();
        packet.WriteAck(_conversation.Namespace, id, value, type);
        return SendAsync(packet, cancellationToken);
    }

    internal void Release()
    {
        Volatile.Write(ref _isReleased, true);
        _frame.Dispose();
    }

    private async ValueTask SendAsync(PacketWriter packet, CancellationToken cancellationToken)
    {
        try
        {
            await _conversation.SendAsync(packet, cancellationToken);
        }
        catch (SocketIOCallException e) when (e.Error == SocketIOCallError.TooLarge)
        {
            // Nothing has gone: another, shorter answer may.
            Volatile.Write(ref _isAnswered, 0);
            throw;
        }
    }

    private bool TakeTurn(out long id)
    {
        id = _id.GetValueOrDefault();
        if (_id is null) return false;
        if (Interlocked.Exchange(ref _isAnswered, 1) != 0) throw new InvalidOperationException($"the event '{Name}' was acknowledged before");
        return true;
    }
}
