using System.Buffers;
using System.Net;
using System.Runtime.Versioning;
using Mooring.Kernel.Sockets;
using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Transports.Epoll;

/// <summary>
/// One accepted socket. Any thread may write and close; reading belongs to the I/O thread. Buffers are rented only while
/// they hold something, so an idle connection costs this object and the kernel's socket.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollConnection : IConnectionOutput
{
    private const int LeastOutputBytes = 512;
    private const int NoDescriptor = -1;

    private readonly Lock _gate = new();
    private readonly EpollLoop _loop;
    private byte[]? _output;
    private int _outputStart;
    private int _outputEnd;
    private int _descriptor;
    private bool _isDirty;
    private bool _isArmedForOutput;
    private bool _isPaused;
    private bool _isChoked;
    private bool _isHalfClosed;
    private IOutputGate? _outputGate;
    private long _heldUntil;
    private bool _isHeld;

    internal EpollConnection(EpollLoop loop, int descriptor, EndPoint? remote)
    {
        _loop = loop;
        _descriptor = descriptor;
        RemoteEndPoint = remote;
    }

    public EndPoint? RemoteEndPoint { get; }

    /// <summary>Set once, before the connection joins its loop.</summary>
    internal IEpollHandler Handler { get; set; } = null!;

    /// <summary>Place in the loop's table.</summary>
    internal int Slot { get; set; }

    /// <summary>Received bytes that are not a whole packet yet; touched by the I/O thread only.</summary>
    internal byte[]? Rest { get; set; }

    internal int RestLength { get; set; }

    /// <summary>When a closing connection is cut; I/O thread only.</summary>
    internal long CloseDeadline { get; set; }

    internal bool IsClosing { get; private set; }

    /// <summary>The handler was told, or must not be told anything any more; I/O thread only.</summary>
    internal bool IsOver { get; set; }

    public long WrittenBytes { get; private set; }

    public int UnsentBytes => _outputEnd - _outputStart;

    internal bool IsPaused => _isPaused;

    /// <summary>Queues bytes; they leave at the next <see cref="RequestFlush"/>. Ignored once closing.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (IsClosing) return;
            bytes.CopyTo(Reserve(bytes.Length));
            _outputEnd += bytes.Length;
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
        lock (_gate)
        {
            _isHeld = false;
            Send();
        }
        Handler.OnDrained();
    }

    /// <summary>
    /// At the end of this thread's turn, or of the I/O thread's if that is in the middle of one, together with what follows; else now.
    /// </summary>
    public void RequestFlush()
    {
        lock (_gate)
        {
            if (_isDirty || WaitsForRoom()) return;
            _isDirty = FlushBatch.TryAdd(this) || _loop.TryAddDirty(this);
            if (!_isDirty) Send();
        }
    }

    public void Flush()
    {
        lock (_gate)
        {
            _isDirty = false;
            if (!WaitsForRoom()) Send();
        }
    }

    /// <summary>Sends what is queued, half-closes, and cuts the connection when the peer has closed too or the deadline is over.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (IsClosing || _descriptor == NoDescriptor) return;
            IsClosing = true;
            if (!_isArmedForOutput) Send();
        }
        _loop.AddClosing(this);
    }

    /// <summary>Stops or resumes reading; resuming hands kept bytes to the handler again, on the I/O thread.</summary>
    public void Pause(bool paused)
    {
        lock (_gate)
        {
            if (_isPaused == paused || _descriptor == NoDescriptor) return;
            _isPaused = paused;
            Arm();
        }
        if (!paused) _loop.AddResumed(this);
    }

    internal void Join(EpollSet set)
    {
        lock (_gate) set.Add(_descriptor, LibC.EventIn, (ulong)Slot);
    }

    /// <summary>I/O thread: the socket has room again. True when everything has left.</summary>
    internal bool OnWritable()
    {
        lock (_gate)
        {
            Send();
            return !_isArmedForOutput;
        }
    }

    /// <summary>Reads once; see recv(2).</summary>
    internal nint Receive(byte* buffer, int length) => LibC.Receive(_descriptor, buffer, length, LibC.DoNotWaitNoSignal);

    /// <summary>I/O thread: gives the descriptor and all buffers back.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            if (_descriptor == NoDescriptor) return;
            IsClosing = true;
            if (!_isArmedForOutput) Send();
            _ = LibC.Close(_descriptor);
            _descriptor = NoDescriptor;
            ReturnOutput();
        }
        KeepRest(default);
    }

    internal void KeepRest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            if (Rest is not null) ArrayPool<byte>.Shared.Return(Rest);
            Rest = null;
        }
        else if (Rest is null || Rest.Length < bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(bytes.Length);
            bytes.CopyTo(larger);
            if (Rest is not null) ArrayPool<byte>.Shared.Return(Rest);
            Rest = larger;
        }
        else
        {
            bytes.CopyTo(Rest);
        }
        RestLength = bytes.Length;
    }

    /// <summary>Room for another read behind the rest, which is then the beginning of a packet larger than one read.</summary>
    internal void GrowRest(int additional)
    {
        if (Rest!.Length - RestLength >= additional) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Rest.Length * 2, RestLength + additional));
        Rest.AsSpan(0, RestLength).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(Rest);
        Rest = larger;
    }

    // Callers below hold _gate.
    private bool WaitsForRoom() => _isArmedForOutput && (_isChoked || UnsentBytes <= _loop.UnsentBytesToStopReading);

    private Span<byte> Reserve(int length)
    {
        var queued = _outputEnd - _outputStart;
        if (_output is null)
        {
            _output = ArrayPool<byte>.Shared.Rent(Math.Max(LeastOutputBytes, length));
        }
        else if (_output.Length - _outputEnd < length)
        {
            var target = queued + length <= _output.Length ? _output : ArrayPool<byte>.Shared.Rent(Math.Max(_output.Length * 2, queued + length));
            Buffer.BlockCopy(_output, _outputStart, target, 0, queued);
            if (target != _output) ArrayPool<byte>.Shared.Return(_output);
            _output = target;
            _outputStart = 0;
            _outputEnd = queued;
        }
        return _output.AsSpan(_outputEnd, length);
    }

    /// <summary>Whether what is queued may leave; it is thrown away when it never may.</summary>
    private bool MayLeave()
    {
        if (_outputGate is null || _heldUntil <= _outputGate.Kept || UnsentBytes == 0) return true;
        if (_isHeld) return false;
        switch (_outputGate.TryPass(_heldUntil, this))
        {
            case Passage.Open:
                return true;
            case Passage.Later:
                _isHeld = true;
                return false;
            default:
                _outputStart = _outputEnd;
                if (!IsClosing)
                {
                    IsClosing = true;
                    _loop.AddClosing(this);
                }
                return true;
        }
    }

    private void Send()
    {
        if (!MayLeave()) return;
        while (_outputEnd > _outputStart && _descriptor != NoDescriptor)
        {
            nint sent;
            fixed (byte* bytes = _output)
                sent = LibC.Send(_descriptor, bytes + _outputStart, _outputEnd - _outputStart, LibC.DoNotWaitNoSignal);
            if (sent >= 0)
            {
                _outputStart += (int)sent;
                continue;
            }
            var error = LibC.LastError;
            if (error == LibC.ErrorInterrupted) continue;
            if (error == LibC.ErrorTryAgain)
            {
                var isChoked = !IsClosing && UnsentBytes > _loop.UnsentBytesToStopReading;
                if (_isArmedForOutput && isChoked == _isChoked) return;
                _isArmedForOutput = true;
                _isChoked = isChoked;
                Arm();
                return;
            }
            // The peer is gone; the I/O thread learns it from the next event.
            _outputStart = _outputEnd;
        }
        ReturnOutput();
        if (_isArmedForOutput)
        {
            _isArmedForOutput = false;
            _isChoked = false;
            Arm();
        }
        if (IsClosing && !_isHalfClosed && _descriptor != NoDescriptor)
        {
            _isHalfClosed = true;
            _ = LibC.Shutdown(_descriptor, LibC.ShutdownWrite);
        }
    }

    private void Arm()
    {
        if (_descriptor == NoDescriptor) return;
        var events = (_isPaused || _isChoked ? 0 : LibC.EventIn) | (_isArmedForOutput ? LibC.EventOut : 0);
        _loop.Modify(_descriptor, events, Slot);
    }

    private void ReturnOutput()
    {
        if (_output is not null) ArrayPool<byte>.Shared.Return(_output);
        _output = null;
        _outputStart = _outputEnd = 0;
    }
}
