using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Mooring.Tunnel.Protocol.MessagePack;

/// <summary>Appends values to a buffer, each in its shortest form.</summary>
internal readonly ref struct MessagePackWriter(IBufferWriter<byte> output)
{
    private const int HeaderBytesMax = 9;

    private readonly IBufferWriter<byte> _output = output;

    public void WriteMapHeader(int count) => WriteCount(count, MessagePackFormat.FixMap, MessagePackFormat.Map16);

    public void WriteArrayHeader(int count) => WriteCount(count, MessagePackFormat.FixArray, MessagePackFormat.Array16);

    public void WriteText(ReadOnlySpan<byte> utf8)
    {
        var span = _output.GetSpan(HeaderBytesMax + utf8.Length);
        var header = TextHeader(span, utf8.Length);
        utf8.CopyTo(span[header..]);
        _output.Advance(header + utf8.Length);
    }

    public void WriteText(string text)
    {
        // The header's size depends on the length; ASCII, nearly all there is, has one byte a character.
        var length = Encoding.UTF8.GetByteCount(text);
        var span = _output.GetSpan(HeaderBytesMax + length);
        var header = TextHeader(span, length);
        Encoding.UTF8.GetBytes(text, span[header..]);
        _output.Advance(header + length);
    }

    public void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        WriteBinaryHeader(bytes.Length);
        _output.Write(bytes);
    }

    /// <summary>The beginning of a binary whose bytes the caller writes.</summary>
    public void WriteBinaryHeader(int length)
    {
        var span = _output.GetSpan(HeaderBytesMax);
        _output.Advance(length switch
        {
            <= byte.MaxValue => Header(span, MessagePackFormat.Binary8, (byte)length),
            <= ushort.MaxValue => Header(span, MessagePackFormat.Binary16, (ushort)length),
            _ => Header(span, MessagePackFormat.Binary32, (uint)length),
        });
    }

    public void WriteInt64(long value)
    {
        var span = _output.GetSpan(HeaderBytesMax);
        _output.Advance(value >= 0 ? WriteUnsigned(span, (ulong)value) : WriteNegative(span, value));
    }

    public void WriteDouble(double value)
    {
        var span = _output.GetSpan(HeaderBytesMax);
        span[0] = MessagePackFormat.Float64;
        BinaryPrimitives.WriteDoubleBigEndian(span[1..], value);
        _output.Advance(9);
    }

    public void WriteBoolean(bool value) => WriteByte(value ? MessagePackFormat.True : MessagePackFormat.False);

    public void WriteNil() => WriteByte(MessagePackFormat.Nil);

    private void WriteByte(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }

    private void WriteCount(int count, byte fix, byte sixteen)
    {
        var span = _output.GetSpan(HeaderBytesMax);
        if (count < 16)
        {
            span[0] = (byte)(fix | count);
            _output.Advance(1);
        }
        else
        {
            _output.Advance(count <= ushort.MaxValue ? Header(span, sixteen, (ushort)count) : Header(span, (byte)(sixteen + 1), (uint)count));
        }
    }

    private static int TextHeader(Span<byte> span, int length)
    {
        if (length >= 32)
        {
            return length switch
            {
                <= byte.MaxValue => Header(span, MessagePackFormat.Text8, (byte)length),
                <= ushort.MaxValue => Header(span, MessagePackFormat.Text16, (ushort)length),
                _ => Header(span, MessagePackFormat.Text32, (uint)length),
            };
        }
        span[0] = (byte)(MessagePackFormat.FixText | length);
        return 1;
    }

    private static int WriteUnsigned(Span<byte> span, ulong value)
    {
        switch (value)
        {
            case < MessagePackFormat.FixMap:
                span[0] = (byte)value;
                return 1;
            case <= byte.MaxValue:
                return Header(span, MessagePackFormat.UInt8, (byte)value);
            case <= ushort.MaxValue:
                return Header(span, MessagePackFormat.UInt16, (ushort)value);
            case <= uint.MaxValue:
                return Header(span, MessagePackFormat.UInt32, (uint)value);
            default:
                span[0] = MessagePackFormat.UInt64;
                BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
                return 9;
        }
    }

    private static int WriteNegative(Span<byte> span, long value)
    {
        switch (value)
        {
            case >= -32:
                span[0] = (byte)value;
                return 1;
            case >= sbyte.MinValue:
                return Header(span, MessagePackFormat.Int8, (byte)value);
            case >= short.MinValue:
                return Header(span, MessagePackFormat.Int16, (ushort)value);
            case >= int.MinValue:
                return Header(span, MessagePackFormat.Int32, (uint)value);
            default:
                span[0] = MessagePackFormat.Int64;
                BinaryPrimitives.WriteInt64BigEndian(span[1..], value);
                return 9;
        }
    }

    private static int Header(Span<byte> span, byte first, byte value)
    {
        span[0] = first;
        span[1] = value;
        return 2;
    }

    private static int Header(Span<byte> span, byte first, ushort value)
    {
        span[0] = first;
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], value);
        return 3;
    }

    private static int Header(Span<byte> span, byte first, uint value)
    {
        span[0] = first;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], value);
        return 5;
    }
}
