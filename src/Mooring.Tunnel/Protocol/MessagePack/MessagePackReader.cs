using System.Buffers.Binary;
using System.Text;

namespace Mooring.Tunnel.Protocol.MessagePack;

/// <summary>
/// Reads the values of one whole message, in order. Texts and binaries are slices of the message; nothing is copied. Every
/// announced length is compared with the bytes that are left before anything relies on it.
/// </summary>
internal ref struct MessagePackReader(ReadOnlySpan<byte> message)
{
    /// <summary>Maps and arrays in one another. The deepest message, a list of header pairs in a frame, needs 3.</summary>
    internal const int DepthMax = 16;

    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>Bytes that were read.</summary>
    public int Position { get; private set; }

    public readonly bool IsAtEnd => Position == _message.Length;

    /// <summary>What comes next.</summary>
    public readonly MessagePackType NextType =>
        Position < _message.Length ? MessagePackFormat.TypeOf(_message[Position]) : throw Truncated();

    /// <summary>Number of key-value pairs that follow.</summary>
    public int ReadMapHeader()
    {
        var first = Take(1)[0];
        var count = first switch
        {
            >= MessagePackFormat.FixMap and < MessagePackFormat.FixArray => (uint)(first & 0x0F),
            MessagePackFormat.Map16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackFormat.Map32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("map", first),
        };
        return Plausible(count, bytesEach: 2);
    }

    /// <summary>Number of elements that follow.</summary>
    public int ReadArrayHeader()
    {
        var first = Take(1)[0];
        var count = first switch
        {
            >= MessagePackFormat.FixArray and < MessagePackFormat.FixText => (uint)(first & 0x0F),
            MessagePackFormat.Array16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackFormat.Array32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("array", first),
        };
        return Plausible(count, bytesEach: 1);
    }

    /// <summary>A text, as its UTF-8 bytes.</summary>
    public ReadOnlySpan<byte> ReadText()
    {
        var first = Take(1)[0];
        return TakeAnnounced(first switch
        {
            >= MessagePackFormat.FixText and < MessagePackFormat.Nil => (uint)(first & 0x1F),
            MessagePackFormat.Text8 => Take(1)[0],
            MessagePackFormat.Text16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackFormat.Text32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("text", first),
        });
    }

    public string ReadString() => Encoding.UTF8.GetString(ReadText());

    /// <summary>A binary, or a text where an older encoder wrote one for it.</summary>
    public ReadOnlySpan<byte> ReadBinary()
    {
        if (NextType == MessagePackType.Text) return ReadText();
        var first = Take(1)[0];
        return TakeAnnounced(first switch
        {
            MessagePackFormat.Binary8 => Take(1)[0],
            MessagePackFormat.Binary16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackFormat.Binary32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("binary", first),
        });
    }

    public long ReadInt64()
    {
        var first = Take(1)[0];
        return first switch
        {
            < MessagePackFormat.FixMap => first,
            >= MessagePackFormat.NegativeFix => (sbyte)first,
            MessagePackFormat.UInt8 => Take(1)[0],
            MessagePackFormat.UInt16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackFormat.UInt32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            MessagePackFormat.UInt64 => BinaryPrimitives.ReadUInt64BigEndian(Take(8)) is <= long.MaxValue and var value
                ? (long)value
                : throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, "an integer above 2^63-1"),
            MessagePackFormat.Int8 => (sbyte)Take(1)[0],
            MessagePackFormat.Int16 => BinaryPrimitives.ReadInt16BigEndian(Take(2)),
            MessagePackFormat.Int32 => BinaryPrimitives.ReadInt32BigEndian(Take(4)),
            MessagePackFormat.Int64 => BinaryPrimitives.ReadInt64BigEndian(Take(8)),
            _ => throw Wrong("integer", first),
        };
    }

    /// <summary>An integer between two bounds, both included.</summary>
    public long ReadInt64(long min, long max)
    {
        var value = ReadInt64();
        return value >= min && value <= max
            ? value
            : throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, $"{value} is not between {min} and {max}");
    }

    /// <summary>A float, or an integer where an encoder found one shorter.</summary>
    public double ReadDouble()
    {
        if (NextType == MessagePackType.Integer) return ReadInt64();
        var first = Take(1)[0];
        return first switch
        {
            MessagePackFormat.Float32 => BinaryPrimitives.ReadSingleBigEndian(Take(4)),
            MessagePackFormat.Float64 => BinaryPrimitives.ReadDoubleBigEndian(Take(8)),
            _ => throw Wrong("float", first),
        };
    }

    public bool ReadBoolean()
    {
        var first = Take(1)[0];
        return first switch
        {
            MessagePackFormat.True => true,
            MessagePackFormat.False => false,
            _ => throw Wrong("boolean", first),
        };
    }

    /// <summary>Steps over a nil; false, and nothing is read, when another value comes next.</summary>
    public bool TryReadNil()
    {
        if (NextType != MessagePackType.Nil) return false;
        Position++;
        return true;
    }

    /// <summary>Steps over the next value, whatever it is, and gives its bytes.</summary>
    public ReadOnlySpan<byte> ReadRaw()
    {
        var start = Position;
        Skip(0);
        return _message[start..Position];
    }

    /// <summary>Fails when bytes follow.</summary>
    public readonly void ExpectEnd()
    {
        if (!IsAtEnd) throw new TunnelProtocolException(TunnelProtocolError.TrailingBytes, $"{_message.Length - Position} bytes follow");
    }

    private void Skip(int depth)
    {
        if (depth > DepthMax) throw new TunnelProtocolException(TunnelProtocolError.TooDeep, $"more than {DepthMax} levels");
        switch (NextType)
        {
            case MessagePackType.Nil or MessagePackType.Boolean:
                Position++;
                break;
            case MessagePackType.Integer:
                SkipInteger();
                break;
            case MessagePackType.Float:
                ReadDouble();
                break;
            case MessagePackType.Text:
                ReadText();
                break;
            case MessagePackType.Binary:
                ReadBinary();
                break;
            case MessagePackType.Array:
                for (var left = ReadArrayHeader(); left > 0; left--) Skip(depth + 1);
                break;
            case MessagePackType.Map:
                for (var left = ReadMapHeader() * 2L; left > 0; left--) Skip(depth + 1);
                break;
            case MessagePackType.Extension:
                SkipExtension();
                break;
            default:
                throw new TunnelProtocolException(TunnelProtocolError.Malformed, "0xC1 begins no value");
        }
    }

    // Not ReadInt64: an unknown field may hold what does not fit there.
    private void SkipInteger()
    {
        var first = Take(1)[0];
        Take(first switch
        {
            MessagePackFormat.UInt8 or MessagePackFormat.Int8 => 1,
            MessagePackFormat.UInt16 or MessagePackFormat.Int16 => 2,
            MessagePackFormat.UInt32 or MessagePackFormat.Int32 => 4,
            MessagePackFormat.UInt64 or MessagePackFormat.Int64 => 8,
            _ => 0,
        });
    }

    // first [length 1, 2 or 4] type(1) bytes; the fix forms have 1, 2, 4, 8 or 16 bytes.
    private void SkipExtension()
    {
        var first = Take(1)[0];
        var length = first switch
        {
            MessagePackFormat.Extension8 => Take(1)[0],
            MessagePackFormat.Extension8 + 1 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackFormat.Extension32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => 1u << (first - MessagePackFormat.FixExtension1),
        };
        Take(1);
        TakeAnnounced(length);
    }

    private readonly int Plausible(uint count, int bytesEach) =>
        count <= (uint)(_message.Length - Position) / bytesEach ? (int)count : throw Truncated();

    private ReadOnlySpan<byte> TakeAnnounced(uint length) => length <= int.MaxValue ? Take((int)length) : throw Truncated();

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _message.Length - Position) throw Truncated();
        var taken = _message.Slice(Position, length);
        Position += length;
        return taken;
    }

    private static TunnelProtocolException Truncated() =>
        new(TunnelProtocolError.Truncated, "the message ends inside a value");

    private static TunnelProtocolException Wrong(string wanted, byte first) => first == MessagePackFormat.NeverUsed
        ? new(TunnelProtocolError.Malformed, "0xC1 begins no value")
        : new(TunnelProtocolError.WrongType, $"{wanted} wanted, {MessagePackFormat.TypeOf(first)} found");
}
