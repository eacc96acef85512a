using System.Buffers;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Links;

/// <summary>
/// The receiving half of a WebSocket: bytes in, whole messages out, each as a slice of the buffer they were read into. The buffer is small
/// while the link is quiet and grows with what arrives.
/// </summary>
internal sealed class LinkInput(LinkLimits limits, bool isMasked) : IDisposable
{
    /// <summary>Reads in a row that a small buffer would have held, after which the link counts as quiet again.</summary>
    private const int QuietReads = 32;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(limits.QuietBufferBytes);
    private int _start;
    private int _end;
    private int _quietReads;
    private bool _filled;
    private PooledBytes? _parts;
    private WebSocketOpcode _partsOpcode;
    private WebSocketFrameHeader _header;
    private bool _hasHeader;
    private bool _partsTaken;
    private long _bytesReceived;

    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>Where the next bytes go; never empty.</summary>
    public Memory<byte> Free
    {
        get
        {
            MakeRoom();
            return _buffer.AsMemory(_end);
        }
    }

    public void Received(int count)
    {
        _end += count;
        _filled = _end == _buffer.Length;
        _quietReads = count <= limits.QuietBufferBytes ? _quietReads + 1 : 0;
        Volatile.Write(ref _bytesReceived, _bytesReceived + count);
    }

    /// <summary>Takes the next message or control frame; false when bytes are missing. The payload is valid until the next call.</summary>
    /// <exception cref="TunnelProtocolException">The bytes break RFC 6455 or a limit.</exception>
    public bool TryRead(out WebSocketOpcode opcode, out ReadOnlySpan<byte> payload)
    {
        if (_partsTaken) ForgetParts();
        while (TryReadFrame(out var frame, out var bytes))
        {
            if (frame.IsControl)
            {
                opcode = frame.Opcode;
                payload = bytes;
                return true;
            }
            CheckOrder(frame);
            if (frame.IsFinal && _parts is null)
            {
                opcode = frame.Opcode;
                payload = bytes;
                return true;
            }
            if (_parts is null) (_parts, _partsOpcode) = (new PooledBytes(0), frame.Opcode);
            if (_parts.Length + bytes.Length > limits.MessageBytesMax) throw TooLarge(_parts.Length + (long)bytes.Length);
            _parts.Append(bytes);
            if (!frame.IsFinal) continue;
            opcode = _partsOpcode;
            payload = _parts.Span;
            _partsTaken = true;
            return true;
        }
        opcode = default;
        payload = default;
        return false;
    }

    public void Dispose()
    {
        ForgetParts();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private bool TryReadFrame(out WebSocketFrameHeader frame, out Span<byte> payload)
    {
        payload = default;
        if (!_hasHeader)
        {
            if (!WebSocketFraming.TryReadHeader(_buffer.AsSpan(_start, _end - _start), out _header))
            {
                frame = default;
                return false;
            }
            if (_header.MaskKey is not null != isMasked)
                throw new TunnelProtocolException(TunnelProtocolError.WebSocket, isMasked ? "a client's frame without a mask" : "a server's frame with a mask");
            if (_header.PayloadLength > limits.MessageBytesMax) throw TooLarge(_header.PayloadLength);
            _start += _header.Length;
            _hasHeader = true;
        }
        frame = _header;
        if (_end - _start < frame.PayloadLength) return false;
        payload = _buffer.AsSpan(_start, (int)frame.PayloadLength);
        if (frame.MaskKey is { } key) WebSocketFraming.Mask(payload, key);
        _start += payload.Length;
        _hasHeader = false;
        return true;
    }

    private void CheckOrder(WebSocketFrameHeader frame)
    {
        if (frame.Opcode == WebSocketOpcode.Continuation == _parts is null)
            throw new TunnelProtocolException(TunnelProtocolError.WebSocket, "a message begins inside another, or goes on without a beginning");
    }

    private void ForgetParts()
    {
        _parts?.Dispose();
        _parts = null;
        _partsTaken = false;
    }

    private void MakeRoom()
    {
        var held = _end - _start;
        var wanted = _buffer.Length;
        if (_hasHeader && _header.PayloadLength > _buffer.Length) wanted = (int)_header.PayloadLength;
        else if (_filled && _buffer.Length < limits.BusyBufferBytes) wanted = _buffer.Length * 4;
        else if (held == 0 && _quietReads > QuietReads) wanted = limits.QuietBufferBytes;
        _filled = false;
        if (wanted > _buffer.Length || (wanted < _buffer.Length && wanted < _buffer.Length / 2))
        {
            var other = ArrayPool<byte>.Shared.Rent(wanted);
            _buffer.AsSpan(_start, held).CopyTo(other);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = other;
            (_start, _end) = (0, held);
            return;
        }
        if (held == 0) (_start, _end) = (0, 0);
        else if (_end == _buffer.Length || (_hasHeader && _start + _header.PayloadLength > _buffer.Length))
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
            (_start, _end) = (0, held);
        }
        // A header that is cut may fill a tiny buffer to its end.
        if (_end == _buffer.Length) throw new TunnelProtocolException(TunnelProtocolError.TooLarge, "a frame does not fit its buffer");
    }

    private static TunnelProtocolException TooLarge(long bytes) => new(TunnelProtocolError.TooLarge, $"a message of {bytes} bytes");
}
