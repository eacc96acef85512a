using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>
/// One end's part in one namespace over one connection: events out, calls that wait for their acknowledgement, and events in. Handlers
/// start in the order in which their events came and then run side by side.
/// </summary>
/// <typeparam name="TOwner">What a handler is told beside the event.</typeparam>
internal sealed partial class Conversation<TOwner> : IConversation
    where TOwner : class
{
    private readonly TOwner _owner;
    private readonly Outbox _outbox;
    private readonly byte[] _namespace;
    private readonly EventTable<TOwner> _handlers;
    private readonly SocketIOLimits _limits;
    private readonly int _sentBytesMax;
    private readonly PendingCalls _calls;
    private readonly ILogger _logger;
    private readonly Lock _handlersLock = new();
    private PacketWriter? _spareWriter;
    private TaskCompletionSource? _handlerEnded;
    private int _handlersRunning;
    private volatile bool _closed;

    public Conversation(
        TOwner owner, Outbox outbox, byte[] nsp, EventTable<TOwner> handlers, SocketIOLimits limits, TimeProvider time, ILogger logger,
        int sentBytesMax = int.MaxValue)
    {
        _sentBytesMax = sentBytesMax;
        (_owner, _outbox, _namespace, _handlers, _limits, _logger) = (owner, outbox, nsp, handlers, limits, logger);
        _calls = new PendingCalls(limits.CallsMax, time);
    }

    public ReadOnlySpan<byte> Namespace => _namespace;

    public PacketWriter RentWriter() => Interlocked.Exchange(ref _spareWriter, null) ?? new PacketWriter();

    /// <summary>Puts the packet into the peer's queue, waiting for room when there is none.</summary>
    public async ValueTask SendAsync(PacketWriter packet, CancellationToken cancellationToken)
    {
        try
        {
            if (packet.Packet.Length > _sentBytesMax)
                throw new SocketIOCallException(
                    SocketIOCallError.TooLarge, $"{packet.Packet.Length} bytes, where the peer takes at most {_sentBytesMax}");
            while (true)
            {
                var result = _closed ? OutboxResult.Closed : _outbox.TryAdd(packet.Packet, packet.Attachments);
                if (result == OutboxResult.Added) return;
                if (result == OutboxResult.Closed) throw new SocketIOCallException(SocketIOCallError.NotConnected, "not connected");
                await _outbox.WhenRoomAsync(cancellationToken);
            }
        }
        finally
        {
            ReturnWriter(packet);
        }
    }

    public ValueTask EmitAsync(string name, SocketIOArguments? arguments, CancellationToken cancellationToken)
    {
        var packet = RentWriter();
        packet.WriteEvent(_namespace, null, name, arguments);
        return SendAsync(packet, cancellationToken);
    }

    public ValueTask EmitAsync<T>(string name, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var packet = RentWriter();
        packet.WriteEvent(_namespace, null, name, value, type);
        return SendAsync(packet, cancellationToken);
    }

    public Task<SocketIOReply> CallAsync(string name, SocketIOArguments? arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var call = _calls.Begin(timeout, cancellationToken);
        return CallAsync(call, packet => packet.WriteEvent(_namespace, call.Id, name, arguments), cancellationToken);
    }

    public Task<SocketIOReply> CallAsync<T>(
        string name, T value, JsonTypeInfo<T> type, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var call = _calls.Begin(timeout, cancellationToken);
        return CallAsync(call, packet => packet.WriteEvent(_namespace, call.Id, name, value, type), cancellationToken);
    }

    /// <summary>An event or an acknowledgement has come; the frame is this method's to dispose.</summary>
    /// <returns>When the next may come: at once, or when one of too many handlers has ended.</returns>
    public ValueTask ReceiveAsync(PooledFrame frame, in SocketIOPacket packet, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        var slices = new Slice[2];
        try
        {
            var count = SocketIOPayload.Cut(frame.Span, packet.Payload, ref slices);
            if (packet.IsEvent) return Handle(ref frame, packet, slices, count, attachments);
            // An acknowledgement that came too late, or twice, harms nobody.
            _calls.Take(packet.Id!.Value)?.Succeed(new SocketIOReply(frame.Span.ToArray(), slices, count, attachments));
            return ValueTask.CompletedTask;
        }
        finally
        {
            frame.Dispose();
        }
    }

    public void Close()
    {
        _closed = true;
        _calls.Close();
    }

    /// <summary>Runs something of the owner's beside the handlers, such as its greeting.</summary>
    public void Run(string what, Func<ValueTask> handler)
    {
        ValueTask task;
        try
        {
            task = handler();
        }
        catch (Exception e)
        {
            LogHandlerFailed(_logger, what, e);
            return;
        }
        if (!task.IsCompletedSuccessfully) _ = WatchAsync(task, what);
    }

    private async Task<SocketIOReply> CallAsync(PendingCall call, Action<PacketWriter> write, CancellationToken cancellationToken)
    {
        try
        {
            var packet = RentWriter();
            write(packet);
            await SendAsync(packet, cancellationToken);
        }
        catch (Exception e)
        {
            // The event was never sent; the call ends with the reason for that.
            if (_calls.Take(call.Id) is not null) call.Fail(e);
        }
        return await call.Task;
    }

    private ValueTask Handle(
        ref PooledFrame frame, in SocketIOPacket packet, Slice[] slices, int count, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        if (count == 0) throw new SocketIOProtocolException(SocketIOProtocolError.BadEventName, "an event without a name");
        EventTable<TOwner>.Entry? entry = null;
        if (!SocketIOPayload.TryGetPlainName(frame.Span, slices[0], out var plain) || !_handlers.TryFind(plain, out entry))
        {
            var name = SocketIOPayload.GetName(frame.Span, slices[0]);
            if (!_handlers.TryFind(name, out entry) && _handlers.Other is { } other) entry = new EventTable<TOwner>.Entry(name, other);
        }
        if (entry is null)
        {
            LogNoHandler(_logger);
            return ValueTask.CompletedTask;
        }
        return Start(entry, new SocketIOEvent(this, entry.Name, packet.Id, frame.Move(), slices, count, attachments));
    }

    private ValueTask Start(EventTable<TOwner>.Entry entry, SocketIOEvent received)
    {
        ValueTask task;
        try
        {
            task = entry.Handler(_owner, received);
        }
        catch (Exception e)
        {
            received.Release();
            if (IsOfThePeersLeaving(e)) LogHandlerLeft(_logger, entry.Name);
            else LogHandlerFailed(_logger, entry.Name, e);
            return ValueTask.CompletedTask;
        }
        if (task.IsCompletedSuccessfully)
        {
            received.Release();
            return ValueTask.CompletedTask;
        }
        Task? pause = null;
        lock (_handlersLock)
        {
            if (++_handlersRunning >= _limits.HandlersMax)
                pause = (_handlerEnded ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
        _ = FinishAsync(task, entry.Name, received);
        return pause is null ? ValueTask.CompletedTask : new ValueTask(pause);
    }

    private async Task FinishAsync(ValueTask task, string name, SocketIOEvent received)
    {
        await WatchAsync(task, name);
        received.Release();
        TaskCompletionSource? ended;
        lock (_handlersLock)
        {
            _handlersRunning--;
            (ended, _handlerEnded) = (_handlerEnded, null);
        }
        ended?.TrySetResult();
    }

    private async Task WatchAsync(ValueTask task, string name)
    {
        try
        {
            await task;
        }
        catch (Exception e) when (IsOfThePeersLeaving(e))
        {
            LogHandlerLeft(_logger, name);
        }
        catch (Exception e)
        {
            LogHandlerFailed(_logger, name, e);
        }
    }

    // The peer went away under a handler that was still busy for it. The outbox may know that a moment before this object does.
    private bool IsOfThePeersLeaving(Exception e) => e is SocketIOCallException { Error: SocketIOCallError.NotConnected or SocketIOCallError.ConnectionLost }
        || (_closed && e is OperationCanceledException or SocketIOCallException);

    private void ReturnWriter(PacketWriter packet)
    {
        packet.Clear();
        // One spare is enough for one sender at a time; more senders make their own.
        if (Interlocked.Exchange(ref _spareWriter, packet) is { } surplus) surplus.Dispose();
    }

    [LoggerMessage(3500, LogLevel.Error, "The handler of the event '{EventName}' failed")]
    private static partial void LogHandlerFailed(ILogger logger, string eventName, Exception exception);

    [LoggerMessage(3501, LogLevel.Debug, "The handler of the event '{EventName}' ended because its peer went away")]
    private static partial void LogHandlerLeft(ILogger logger, string eventName);

    [LoggerMessage(3502, LogLevel.Debug, "An event came that has no handler")]
    private static partial void LogNoHandler(ILogger logger);
}
