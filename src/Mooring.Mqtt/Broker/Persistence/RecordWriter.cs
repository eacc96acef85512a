using System.Buffers.Binary;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>Writes the fields of one record, little-endian, into a span of its exact length.</summary>
internal ref struct RecordWriter(Span<byte> body)
{
    private Span<byte> _rest = body;

    internal void Byte(byte value)
    {
        _rest[0] = value;
        _rest = _rest[1..];
    }

    internal void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_rest, value);
        _rest = _rest[2..];
    }

    internal void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_rest, value);
        _rest = _rest[4..];
    }

    internal void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_rest, value);
        _rest = _rest[8..];
    }

    internal void Bytes(scoped ReadOnlySpan<byte> value)
    {
        value.CopyTo(_rest);
        _rest = _rest[value.Length..];
    }

    /// <summary>Four bytes of length, then the bytes.</summary>
    internal void Block(scoped ReadOnlySpan<byte> value)
    {
        UInt32((uint)value.Length);
        Bytes(value);
    }
}
