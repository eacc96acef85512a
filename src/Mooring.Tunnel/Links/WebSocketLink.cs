using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Links;

/// <summary>
/// One WebSocket over any stream, both ends. Everybody may send; messages are gathered while one send is under way and leave together
/// with the next, so that under load one system call carries the frames of many streams. Receiving is one loop.
/// </summary>
internal sealed class WebSocketLink : IThreadPoolWorkItem, IDisposable
{
    private readonly Stream _transport;
    private readonly bool _isClient;
    private readonly LinkLimits _limits;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly LinkInput _input;
    private PooledBytes _pending = new(KeptBytes);
    private PooledBytes _sending = new(KeptBytes);
    private bool _isSending;
    private bool _isClosing;
    private long _sendStarted;
    private TaskCompletionSource? _roomy;
    private LinkEnding? _ending;
    private long _lastReceived;
    private long _bytesSent;
    private uint[]? _maskKeys;
    private int _maskKeysLeft;

    /// <summary>Send buffers above this go back to the pool after each use.</summary>
    private const int KeptBytes = 64 * 1024;

    public WebSocketLink(Stream transport, bool isClient, LinkLimits limits, TimeProvider time)
    {
        _transport = transport;
        _isClient = isClient;
        _limits = limits;
        _time = time;
        _lastReceived = time.GetTimestamp();
        _input = new LinkInput(limits, isMasked: !isClient);
    }

    public LinkLimits Limits => _limits;

    public TimeProvider Time => _time;

    /// <summary>Cancelled when the link has ended.</summary>
    public CancellationToken Ended => _aborted.Token;

    /// <summary>Bytes on the wire, both directions, frames included.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Bytes received, frames included.</summary>
    public long BytesReceived => _input.BytesReceived;

    /// <summary>Time since anything arrived.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _lastReceived));

    /// <summary>Producers of much should wait with <see cref="WaitForRoomAsync"/>.</summary>
    public bool IsCrowded => Volatile.Read(ref _pending).Length > _limits.SendHighBytes;

    /// <summary>Bytes that wait to be sent.</summary>
    public int QueuedBytes
    {
        get { lock (_gate) return _pending.Length + (_isSending ? _sending.Length : 0); }
    }

    /// <summary>A queue that does not move for too long means that nobody is there.</summary>
    public bool IsStuck
    {
        get { lock (_gate) return _isSending && _time.GetElapsedTime(_sendStarted) > _limits.SendTimeout; }
    }

    /// <summary>Queues one binary message in two parts; it leaves with the next <see cref="Flush"/>.</summary>
    public void Enqueue(ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest = default) => EnqueueFrame(WebSocketOpcode.Binary, head, rest);

    /// <summary>
    /// Sends what is queued, unless a send is under way that will take it along. The send comes after the work that is ready now, so that
    /// what other streams are about to say leaves with it.
    /// </summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_isSending || _pending.Length == 0 || _ending is not null) return;
            _isSending = true;
            _sendStarted = _time.GetTimestamp();
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        TaskCompletionSource? roomy;
        lock (_gate)
        {
            BeginSend();
            roomy = TakeRoomy();
        }
        roomy?.TrySetResult();
        _ = SendLoopAsync();
    }

    public void Send(ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest = default)
    {
        Enqueue(head, rest);
        Flush();
    }

    /// <summary>Waits until the queue is short again, or the link has ended.</summary>
    public Task WaitForRoomAsync()
    {
        lock (_gate)
        {
            if (_ending is not null || _pending.Length <= _limits.SendHighBytes) return Task.CompletedTask;
            _roomy ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _roomy.Task;
        }
    }

    public void Ping() => EnqueueFrame(WebSocketOpcode.Ping, [], [], flush: true);

    /// <summary>Reads until the link ends, and says why it did.</summary>
    public async Task<LinkEnding> RunAsync(ILinkReceiver receiver)
    {
        try
        {
            while (true)
            {
                var count = await _transport.ReadAsync(_input.Free, _aborted.Token);
                if (count == 0) return End(LinkEnding.Lost("the connection was closed"));
                Volatile.Write(ref _lastReceived, _time.GetTimestamp());
                _input.Received(count);
                var isOpen = Deliver(receiver);
                var done = receiver.OnBatchEndAsync();
                if (!done.IsCompletedSuccessfully) await done;
                if (!isOpen) return await EchoCloseAsync();
            }
        }
        catch (TunnelProtocolException exception)
        {
            var ending = LinkEnding.Broken(exception);
            await CloseAsync(ending.Code, ending.Reason);
            return ending;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return End(LinkEnding.Lost(exception is IOException ? exception.Message : "the connection was ended"));
        }
        finally
        {
            _input.Dispose();
        }
    }

    /// <summary>Sends what is queued and a close frame, then ends the link. The first caller's reason counts.</summary>
    public async Task CloseAsync(int code, string reason)
    {
        lock (_gate)
        {
            if (_isClosing) return;
            _isClosing = true;
        }
        var payload = new byte[WebSocketFraming.ControlPayloadMax];
        EnqueueFrame(WebSocketOpcode.Close, payload.AsSpan(0, WebSocketFraming.WriteClosePayload(payload, code, reason)), [], flush: true);
        using var limit = new CancellationTokenSource(_limits.CloseTimeout, _time);
        try
        {
            while (QueuedBytes > 0 && !_aborted.IsCancellationRequested) await SentAsync().WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // The peer does not read; there is nobody to be polite to.
        }
        End(new LinkEnding(code, reason, IsByPeer: false));
    }

    /// <summary>Ends the link at once.</summary>
    public void Abort(string reason) => End(new LinkEnding(LinkEnding.Abnormal, reason, IsByPeer: false));

    public void Dispose()
    {
        End(LinkEnding.Lost("disposed"));
        _transport.Dispose();
    }

    private bool Deliver(ILinkReceiver receiver)
    {
        while (_input.TryRead(out var opcode, out var payload))
        {
            switch (opcode)
            {
                case WebSocketOpcode.Ping:
                    EnqueueFrame(WebSocketOpcode.Pong, payload, [], flush: true);
                    break;
                case WebSocketOpcode.Pong:
                    break;
                case WebSocketOpcode.Close:
                    var (code, reason) = WebSocketFraming.ReadClosePayload(payload);
                    lock (_gate) _ending ??= new LinkEnding(code, reason, IsByPeer: true);
                    return false;
                default:
                    receiver.OnMessage(payload);
                    break;
            }
        }
        return true;
    }

    private async Task<LinkEnding> EchoCloseAsync()
    {
        LinkEnding ending;
        lock (_gate)
        {
            ending = _ending!.Value;
            // Let the echo out: an ending stops all other sends.
            _ending = null;
        }
        await CloseAsync(ending.Code is 1005 or < 1000 or > 4999 ? CloseCodes.Normal : ending.Code, "");
        lock (_gate) _ending = ending;
        return ending;
    }

    private void EnqueueFrame(WebSocketOpcode opcode, ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest, bool flush = false)
    {
        var length = head.Length + rest.Length;
        lock (_gate)
        {
            if (_ending is not null) return;
            uint? key = _isClient ? NextMaskKey() : null;
            if (_pending.Length > _limits.SendBytesMax)
            {
                _ending = new LinkEnding(CloseCodes.Policy, "the peer does not read", IsByPeer: true);
            }
            else
            {
                var space = _pending.GetSpan(WebSocketFraming.HeaderBytesMax + length);
                var at = WebSocketFraming.WriteHeader(space, opcode, length, key);
                head.CopyTo(space[at..]);
                rest.CopyTo(space[(at + head.Length)..]);
                if (key is { } mask) WebSocketFraming.Mask(space.Slice(at, length), mask);
                _pending.Advance(at + length);
            }
        }
        if (_ending is not null) _aborted.Cancel();
        else if (flush) Flush();
    }

    // Unpredictable keys (RFC 6455 10.3), drawn many at a time: one draw costs more than masking a small frame.
    private uint NextMaskKey()
    {
        _maskKeys ??= new uint[64];
        if (_maskKeysLeft == 0)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(_maskKeys.AsSpan()));
            _maskKeysLeft = _maskKeys.Length;
        }
        return _maskKeys[--_maskKeysLeft];
    }

    // Under the gate.
    private void BeginSend()
    {
        _isSending = true;
        _sendStarted = _time.GetTimestamp();
        (_pending, _sending) = (_sending, _pending);
    }

    // Under the gate: those who wait for room, if there is some. They fill the next buffer while this one is on its way.
    private TaskCompletionSource? TakeRoomy()
    {
        if (_pending.Length > _limits.SendLowBytes && _ending is null) return null;
        var roomy = _roomy;
        _roomy = null;
        return roomy;
    }

    private async Task SendLoopAsync()
    {
        while (true)
        {
            try
            {
                await _transport.WriteAsync(_sending.Memory, _aborted.Token);
                await _transport.FlushAsync(_aborted.Token);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
            {
                End(LinkEnding.Lost(exception.Message));
                return;
            }
            TaskCompletionSource? roomy;
            bool isDone;
            lock (_gate)
            {
                _bytesSent += _sending.Length;
                _sending.Clear();
                isDone = _pending.Length == 0 || _ending is not null;
                if (isDone) _isSending = false;
                else BeginSend();
                roomy = TakeRoomy();
            }
            roomy?.TrySetResult();
            if (isDone) return;
        }
    }

    private Task SentAsync()
    {
        lock (_gate)
        {
            if (!_isSending && _pending.Length == 0) return Task.CompletedTask;
            _roomy ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _roomy.Task;
        }
    }

    private LinkEnding End(LinkEnding ending)
    {
        TaskCompletionSource? roomy;
        lock (_gate)
        {
            ending = _ending ??= ending;
            (roomy, _roomy) = (_roomy, null);
        }
        roomy?.TrySetResult();
        _aborted.Cancel();
        return ending;
    }
}
