using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Transports.Kestrel;

/// <summary>
/// Output of one Kestrel connection. Any thread appends to a buffer; one flush runs at a time and takes all that has gathered.
/// </summary>
internal sealed class KestrelOutput(ConnectionContext context, TimeProvider time) : IConnectionOutput
{
    /// <summary>
    /// Unsent bytes beyond which nothing more is read: a peer that asks and does not take the answers waits, instead of growing a buffer.
    /// Above the broker's own bound for messages, so that a slow subscriber is not concerned.
    /// </summary>
    private const int UnsentBytesToStopReading = 1024 * 1024;

    private static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly PipeWriter _output = context.Transport.Output;
    private byte[]? _pending;
    private int _pendingLength;
    private int _leaving;
    private bool _isDirty;
    private bool _isFlushing;
    private bool _isClosing;
    private TaskCompletionSource? _paused;
    private TaskCompletionSource? _choked;
    private IOutputGate? _outputGate;
    private long _heldUntil;
    private bool _isHeld;

    internal BrokerConnection? Connection { get; set; }

    internal bool IsClosing
    {
        get
        {
            lock (_gate) return _isClosing;
        }
    }

    public EndPoint? RemoteEndPoint => context.RemoteEndPoint;

    public long WrittenBytes { get; private set; }

    public int UnsentBytes => Volatile.Read(ref _pendingLength) + Volatile.Read(ref _leaving);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_isClosing) return;
            if (_pending is null)
            {
                _pending = ArrayPool<byte>.Shared.Rent(Math.Max(512, bytes.Length));
            }
            else if (_pending.Length - _pendingLength < bytes.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_pending.Length * 2, _pendingLength + bytes.Length));
                _pending.AsSpan(0, _pendingLength).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_pending);
                _pending = larger;
            }
            bytes.CopyTo(_pending.AsSpan(_pendingLength));
            _pendingLength += bytes.Length;
            WrittenBytes += bytes.Length;
        }
    }

    public void HoldUntil(IOutputGate gate, long position)
    {
        lock (_gate)
        {
            _outputGate = gate;
            _heldUntil = position;
        }
    }

    public void OnPassage()
    {
        lock (_gate) _isHeld = false;
        Flush();
        Connection?.OnDrained();
    }

    public void RequestFlush()
    {
        lock (_gate)
        {
            if (_isDirty || _isFlushing) return;
            _isDirty = FlushBatch.TryAdd(this);
            if (_isDirty) return;
        }
        Flush();
    }

    public void Flush()
    {
        ValueTask<FlushResult> flush;
        lock (_gate)
        {
            _isDirty = false;
            if (_isFlushing || _pendingLength == 0 || !MayLeave()) return;
            _isFlushing = true;
            flush = StartFlush();
        }
        _ = FinishAsync(flush);
    }

    public void Pause(bool paused)
    {
        lock (_gate)
        {
            if (!paused) _paused?.TrySetResult();
            else if (_paused is null or { Task.IsCompleted: true }) _paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>
    /// For the reader, after it has handed over input: null when the connection did not ask for a pause meanwhile, otherwise the
    /// pause's end, which may be over already.
    /// </summary>
    internal Task? TakePause()
    {
        lock (_gate) return _isClosing ? null : _paused?.Task;
    }

    /// <summary>For the reader: completes when the peer has taken enough of its answers.</summary>
    internal Task RoomAsync()
    {
        lock (_gate)
        {
            if (_isClosing || UnsentBytes <= UnsentBytesToStopReading) return Task.CompletedTask;
            _choked ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _choked.Task;
        }
    }

    /// <summary>For the reader, before it hands over input again.</summary>
    internal void ForgetPause()
    {
        lock (_gate) _paused = null;
    }

    public void Close()
    {
        lock (_gate)
        {
            if (_isClosing) return;
            _isClosing = true;
            _paused?.TrySetResult();
            _choked?.TrySetResult();
        }
        Flush();
        context.Transport.Input.CancelPendingRead();
    }

    /// <summary>Completes when all output has left, or the deadline is over.</summary>
    internal async Task EndAsync()
    {
        var deadline = time.GetTimestamp();
        while (UnsentBytes > 0 && time.GetElapsedTime(deadline) < CloseWithin)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), time).ConfigureAwait(false);
        }
        if (UnsentBytes > 0) context.Abort(new ConnectionAbortedException("the peer takes nothing"));
    }

    // Caller holds _gate. What may never leave takes the connection with it.
    private bool MayLeave()
    {
        if (_outputGate is null || _heldUntil <= _outputGate.Kept) return true;
        if (_isHeld) return false;
        switch (_outputGate.TryPass(_heldUntil, this))
        {
            case Passage.Open:
                return true;
            case Passage.Later:
                _isHeld = true;
                return false;
            default:
                _pendingLength = 0;
                _isClosing = true;
                context.Abort(new ConnectionAbortedException("what was to be acknowledged could not be stored"));
                return false;
        }
    }

    // Caller holds _gate.
    private ValueTask<FlushResult> StartFlush()
    {
        _output.Write(_pending.AsSpan(0, _pendingLength));
        _leaving = _pendingLength;
        _pendingLength = 0;
        ArrayPool<byte>.Shared.Return(_pending!);
        _pending = null;
        return _output.FlushAsync();
    }

    private async Task FinishAsync(ValueTask<FlushResult> flush)
    {
        var waited = false;
        try
        {
            while (true)
            {
                waited |= !flush.IsCompleted;
                var result = await flush.ConfigureAwait(false);
                lock (_gate)
                {
                    _leaving = 0;
                    if (result.IsCompleted) _pendingLength = 0;
                    if (UnsentBytes <= UnsentBytesToStopReading)
                    {
                        _choked?.TrySetResult();
                        _choked = null;
                    }
                    if (_pendingLength == 0 || result.IsCompleted || !MayLeave())
                    {
                        _isFlushing = false;
                        break;
                    }
                    flush = StartFlush();
                }
            }
            // Messages may have been held back while the output was full.
            if (waited) Connection?.OnDrained();
        }
        catch (Exception error) when (error is IOException or ConnectionAbortedException or InvalidOperationException or ObjectDisposedException)
        {
            // The peer is gone; the reader learns it too. Nothing more can leave.
            lock (_gate)
            {
                _isClosing = true;
                _leaving = _pendingLength = 0;
                _choked?.TrySetResult();
            }
        }
    }
}
