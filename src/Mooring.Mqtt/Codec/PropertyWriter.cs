using System.Buffers.Binary;
using System.Text;

namespace Mooring.Mqtt.Codec;

/// <summary>
/// Collects the properties of one packet into a growing buffer; <see cref="Written"/> is the block without its length.
/// </summary>
internal sealed class PropertyWriter
{
    private byte[] _buffer = new byte[64];
    private int _length;

    internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    internal void Clear() => _length = 0;

    internal void WriteByte(PropertyId id, byte value)
    {
        var span = Reserve(2);
        span[0] = (byte)id;
        span[1] = value;
    }

    internal void WriteUInt16(PropertyId id, ushort value)
    {
        var span = Reserve(3);
        span[0] = (byte)id;
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], value);
    }

    internal void WriteUInt32(PropertyId id, uint value)
    {
        var span = Reserve(5);
        span[0] = (byte)id;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], value);
    }

    internal void WriteVariable(PropertyId id, uint value)
    {
        var span = Reserve(1 + VariableByteInteger.LengthOf(value));
        span[0] = (byte)id;
        VariableByteInteger.Write(span[1..], value);
    }

    internal void WriteText(PropertyId id, string value)
    {
        Reserve(1)[0] = (byte)id;
        AppendText(value);
    }

    internal void WriteBinary(PropertyId id, ReadOnlySpan<byte> value)
    {
        Reserve(1)[0] = (byte)id;
        Append(value);
    }

    internal void WriteUserProperty(string name, string value)
    {
        Reserve(1)[0] = (byte)PropertyId.UserProperty;
        AppendText(name);
        AppendText(value);
    }

    /// <summary>Appends properties that are encoded already.</summary>
    internal void WriteEncoded(ReadOnlySpan<byte> encoded) => encoded.CopyTo(Reserve(encoded.Length));

    private void AppendText(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        ThrowIfTooLong(length);
        var span = Reserve(2 + length);
        BinaryPrimitives.WriteUInt16BigEndian(span, (ushort)length);
        Encoding.UTF8.GetBytes(value, span[2..]);
    }

    private void Append(ReadOnlySpan<byte> value)
    {
        ThrowIfTooLong(value.Length);
        var span = Reserve(2 + value.Length);
        BinaryPrimitives.WriteUInt16BigEndian(span, (ushort)value.Length);
        value.CopyTo(span[2..]);
    }

    private static void ThrowIfTooLong(int length)
    {
        if (length > ushort.MaxValue)
        {
            throw new ArgumentException($"a field of {length} bytes; MQTT allows {ushort.MaxValue}");
        }
    }

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }

        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }
}
