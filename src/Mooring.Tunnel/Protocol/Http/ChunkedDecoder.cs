using System.Buffers;

namespace Mooring.Tunnel.Protocol.Http;

/// <summary>Takes the chunk framing off a body (RFC 9112 7.1), however the bytes are cut.</summary>
internal struct ChunkedDecoder
{
    /// <summary>Longest line with a chunk size and its extensions.</summary>
    private const int SizeLineMax = 1024;

    private const int TrailerBytesMax = 16 * 1024;

    private State _state;
    private long _left;
    private int _lineLength;
    private bool _hasDigit;
    private bool _inExtension;
    private ArrayBufferWriter<byte>? _trailers;

    private enum State
    {
        Size,
        SizeEnd,
        Bytes,
        BytesCr,
        BytesLf,
        Trailers,
        Done,
    }

    public readonly bool IsDone => _state == State.Done;

    /// <summary>Trailer lines, each with its CRLF.</summary>
    public readonly ReadOnlySpan<byte> Trailers => _trailers is null ? default : _trailers.WrittenSpan[..^2];

    /// <summary>Reads on: gives a run of body bytes (empty when only framing was read) and how much was used.</summary>
    /// <exception cref="TunnelProtocolException">The framing is broken.</exception>
    public ReadOnlySpan<byte> Read(ReadOnlySpan<byte> input, out int used)
    {
        used = 0;
        while (used < input.Length && _state != State.Done)
        {
            switch (_state)
            {
                case State.Bytes:
                    var count = (int)Math.Min(_left, input.Length - used);
                    var run = input.Slice(used, count);
                    used += count;
                    _left -= count;
                    if (_left == 0) _state = State.BytesCr;
                    return run;
                case State.Trailers:
                    ReadTrailer(input[used++]);
                    break;
                default:
                    ReadFraming(input[used++]);
                    break;
            }
        }
        return default;
    }

    private void ReadFraming(byte c)
    {
        switch (_state)
        {
            case State.Size when c == '\r':
                if (!_hasDigit) throw Broken("a chunk without a size");
                _state = State.SizeEnd;
                break;
            case State.Size:
                if (++_lineLength > SizeLineMax) throw Broken("a chunk size without end");
                ReadSizeByte(c);
                break;
            case State.SizeEnd when c == '\n':
                _state = _left == 0 ? State.Trailers : State.Bytes;
                (_hasDigit, _inExtension, _lineLength) = (false, false, 0);
                break;
            case State.BytesCr when c == '\r':
                _state = State.BytesLf;
                break;
            case State.BytesLf when c == '\n':
                _state = State.Size;
                break;
            default:
                throw Broken("a chunk is not followed by CRLF");
        }
    }

    private void ReadSizeByte(byte c)
    {
        if (_inExtension)
        {
            if (c == '\n') throw Broken("a bare line feed in a chunk extension");
            return;
        }
        if (char.IsAsciiHexDigit((char)c))
        {
            if (_left > long.MaxValue >> 5) throw Broken("a chunk size of more than 59 bits");
            _left = (_left << 4) + HexDigit(c);
            _hasDigit = true;
        }
        else if (_hasDigit && c is (byte)';' or (byte)' ' or (byte)'\t') _inExtension = true;
        else throw Broken("a chunk size is no number");
    }

    // Collects up to the empty line that ends them.
    private void ReadTrailer(byte c)
    {
        _trailers ??= new ArrayBufferWriter<byte>(64);
        if (_trailers.WrittenCount >= TrailerBytesMax) throw Broken($"more than {TrailerBytesMax} bytes of trailers");
        _trailers.GetSpan(1)[0] = c;
        _trailers.Advance(1);
        var written = _trailers.WrittenSpan;
        if (c == '\n' && (written.Length == 2 ? written.SequenceEqual("\r\n"u8) : written.EndsWith("\r\n\r\n"u8))) _state = State.Done;
    }

    private static int HexDigit(byte c) => c <= (byte)'9' ? c - (byte)'0' : (c | 0x20) - (byte)'a' + 10;

    private static TunnelProtocolException Broken(string detail) => new(TunnelProtocolError.Malformed, detail);
}
