using System.Buffers.Binary;

namespace Mooring.Mqtt.Codec;

/// <summary>Writes fields into a span that was reserved at its exact length.</summary>
internal ref struct FieldWriter(Span<byte> output)
{
    private Span<byte> _rest = output;

    internal void WriteByte(byte value)
    {
        _rest[0] = value;
        _rest = _rest[1..];
    }

    internal void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_rest, value);
        _rest = _rest[2..];
    }

    internal void WriteVariable(uint value) => _rest = _rest[VariableByteInteger.Write(_rest, value)..];

    internal void WriteBytes(scoped ReadOnlySpan<byte> value)
    {
        value.CopyTo(_rest);
        _rest = _rest[value.Length..];
    }

    /// <summary>A string or binary field: two bytes of length, then the bytes.</summary>
    internal void WriteString(scoped ReadOnlySpan<byte> value)
    {
        WriteUInt16(checked((ushort)value.Length));
        WriteBytes(value);
    }

    /// <summary>Property length and properties.</summary>
    internal void WriteBlock(scoped ReadOnlySpan<byte> properties)
    {
        WriteVariable((uint)properties.Length);
        WriteBytes(properties);
    }
}
