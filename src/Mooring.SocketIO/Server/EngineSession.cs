using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Server;

/// <summary>
/// One client's Engine.IO session: it outlives the requests and the WebSocket that carry it. Which of them may read and which may
/// write is decided under one lock; whoever lost the right to do so is told and ends.
/// </summary>
internal sealed partial class EngineSession : IFrameSink, IDisposable
{
    private readonly Lock _lock = new();
    private readonly SocketIOServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _ended = new();
    private readonly Action<EngineSession> _forget;
    private readonly long _opened;
    private WebSocketCarrier? _carrier;
    private bool _polls;
    private bool _posts;
    private bool _upgrades;
    private bool _probed;
    private TaskCompletionSource? _pollEnded;
    private bool _awaitsPong;
    private long _progressAtPing;
    private long _framesReceived;
    private int _handling;
    private int _closed;

    public EngineSession(
        string id, SocketIOHandshake handshake, SocketIOServerOptions options, TimeProvider time, ILogger logger, Action<EngineSession> forget)
    {
        (Id, Handshake, _options, _time, _logger, _forget) = (id, handshake, options, time, logger, forget);
        _opened = time.GetTimestamp();
        Outbox = new Outbox(options.Limits.OutboxBytesMax, options.Limits.OutboxPacketsMax);
        _timer = time.CreateTimer(
            static state => ((EngineSession)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Id { get; }

    public SocketIOHandshake Handshake { get; }

    public Outbox Outbox { get; }

    /// <summary>Set once, before the first packet.</summary>
    [DisallowNull]
    public IEngineReceiver? Receiver { get; set; }

    public SocketIOTransports Transport { get; private set; } = SocketIOTransports.Polling;

    /// <summary>Whether requests that poll go home at once: the client waits for that before its WebSocket takes over.</summary>
    public bool IsProbed
    {
        get { lock (_lock) return _probed; }
    }

    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>Cancelled when the session has ended.</summary>
    public CancellationToken Ended => _ended.Token;

    public EngineIOHandshake Open(bool overWebSocket)
    {
        Rearm(_options.PingInterval);
        return new EngineIOHandshake(
            Id, !overWebSocket && _options.Transports.HasFlag(SocketIOTransports.WebSocket),
            _options.PingInterval, _options.PingTimeout, _options.Limits.PayloadBytesMax);
    }

    /// <summary>A request wants to wait for packets. One at a time: two would tear the order.</summary>
    public bool TryBeginPoll() => TryTake(ref _polls);

    public void EndPoll()
    {
        TaskCompletionSource? ended;
        lock (_lock) (_polls, ended, _pollEnded) = (false, _pollEnded, null);
        ended?.TrySetResult();
    }

    public bool TryBeginPost() => TryTake(ref _posts);

    public void EndPost() => Give(ref _posts);

    /// <summary>A WebSocket wants to take over.</summary>
    public bool TryBeginUpgrade()
    {
        lock (_lock)
        {
            if (IsClosed || _upgrades || Transport != SocketIOTransports.Polling) return false;
            return _upgrades = true;
        }
    }

    /// <summary>The WebSocket works: a request that waits goes home, and so do those that come until the client has moved.</summary>
    public void Probed()
    {
        lock (_lock) _probed = true;
        Outbox.WakeReader();
    }

    public void EndUpgrade()
    {
        lock (_lock) (_upgrades, _probed) = (false, false);
    }

    /// <summary>Makes the WebSocket the session's only carrier.</summary>
    /// <returns>Null when it cannot be; otherwise a task that ends when the last request that polled has gone home.</returns>
    public Task? TryAttach(WebSocketCarrier carrier)
    {
        Task ended;
        lock (_lock)
        {
            if (IsClosed || _posts || Transport != SocketIOTransports.Polling) return null;
            (Transport, _carrier) = (SocketIOTransports.WebSocket, carrier);
            if (!_polls) return Task.CompletedTask;
            _pollEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ended = _pollEnded.Task;
        }
        Outbox.WakeReader();
        return ended;
    }

    public async ValueTask TextAsync(PooledFrame frame)
    {
        // No using: it would dispose of a copy, also after the frame was handed on.
        try
        {
            Interlocked.Increment(ref _framesReceived);
            switch (EngineIOCodec.ReadPacket(frame.Span))
            {
                case EngineIOPacketType.Message:
                    await HandleAsync(Receiver!.MessageAsync(frame.Move()));
                    break;
                case EngineIOPacketType.Pong:
                    OnPong();
                    break;
                case EngineIOPacketType.Close:
                    Close(SocketIODisconnectReason.LeftByPeer);
                    break;
                case EngineIOPacketType.Noop:
                    break;
                case var other:
                    throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, $"a client must not send {other} here");
            }
        }
        finally
        {
            frame.Dispose();
        }
    }

    public ValueTask BinaryAsync(PooledFrame frame)
    {
        Interlocked.Increment(ref _framesReceived);
        return HandleAsync(Receiver!.BinaryAsync(frame));
    }

    /// <summary>Ends the session; the first reason wins. What stands in the outbox may still go out.</summary>
    public void Close(SocketIODisconnectReason reason)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;
        _timer.Dispose();
        _forget(this);
        Outbox.Close();
        LogClosed(_logger, Id, reason);
        Receiver?.Closed(reason);
        _ended.Cancel();
    }

    /// <summary>Ends the session because of what went wrong in one of its carriers.</summary>
    public void Close(Exception error)
    {
        if (error is SocketIOProtocolException broken)
        {
            LogProtocolError(_logger, Id, broken.Error, broken.Message);
            Close(SocketIODisconnectReason.ProtocolError);
        }
        else Close(SocketIODisconnectReason.ConnectionLost);
    }

    public void Dispose()
    {
        Close(SocketIODisconnectReason.Stopping);
        Outbox.Dispose();
    }

    private async ValueTask HandleAsync(ValueTask handling)
    {
        if (handling.IsCompletedSuccessfully) return;
        // While handlers keep the reader waiting, its peer's pongs are not read: that is not the peer's fault.
        Interlocked.Increment(ref _handling);
        try
        {
            await handling;
        }
        finally
        {
            Interlocked.Decrement(ref _handling);
        }
    }

    private void OnPong()
    {
        lock (_lock)
        {
            if (!_awaitsPong) return;
            _awaitsPong = false;
        }
        Rearm(_options.PingInterval);
    }

    private void OnTimer()
    {
        var progress = Interlocked.Read(ref _framesReceived) + (_carrier?.Progress ?? 0);
        bool pings;
        lock (_lock)
        {
            if (_awaitsPong && progress == _progressAtPing && Volatile.Read(ref _handling) == 0) pings = false;
            else
            {
                pings = !_awaitsPong;
                (_awaitsPong, _progressAtPing) = (true, progress);
                if (!pings)
                {
                    // Late, but alive: a long message is on its way, or handlers keep the reader waiting.
                    Rearm(_options.PingTimeout);
                    return;
                }
            }
        }
        if (!pings) Close(SocketIODisconnectReason.PingTimeout);
        else if (!Receiver!.HasJoined && _time.GetElapsedTime(_opened) > _options.JoinTimeout) Close(SocketIODisconnectReason.NeverJoined);
        else
        {
            Outbox.AddUrgent("2"u8);
            Rearm(_options.PingTimeout);
        }
    }

    private void Rearm(TimeSpan wait)
    {
        try
        {
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // Closed meanwhile.
        }
    }

    private bool TryTake(ref bool right)
    {
        lock (_lock)
        {
            if (right || Transport != SocketIOTransports.Polling) return false;
            return right = true;
        }
    }

    private void Give(ref bool right)
    {
        lock (_lock) right = false;
    }

    [LoggerMessage(3510, LogLevel.Debug, "Session {SessionId} ended: {Reason}")]
    private static partial void LogClosed(ILogger logger, string sessionId, SocketIODisconnectReason reason);

    [LoggerMessage(3511, LogLevel.Information, "Session {SessionId} broke the protocol ({Error}): {Detail}")]
    private static partial void LogProtocolError(ILogger logger, string sessionId, SocketIOProtocolError error, string detail);
}
