using System.Buffers.Binary;

namespace Mooring.Mqtt.Codec;

/// <summary>
/// Reads the fields of one packet body in order (MQTT-1.5). Running past the end is a malformed packet: the frame
/// says how long the body is, so nothing can be "not there yet".
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    internal readonly ReadOnlySpan<byte> Rest => _rest;

    internal readonly bool IsAtEnd => _rest.IsEmpty;

    internal byte ReadByte()
    {
        if (_rest.IsEmpty)
        {
            MqttProtocolException.ThrowMalformed("the packet ends inside a field");
        }

        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    internal ushort ReadUInt16()
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_rest, out var value))
        {
            MqttProtocolException.ThrowMalformed("the packet ends inside a two-byte integer");
        }

        _rest = _rest[2..];
        return value;
    }

    internal uint ReadUInt32()
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(_rest, out var value))
        {
            MqttProtocolException.ThrowMalformed("the packet ends inside a four-byte integer");
        }

        _rest = _rest[4..];
        return value;
    }

    /// <summary>Packet identifiers are 1 to 65,535 (MQTT-2.2.1-3).</summary>
    internal ushort ReadPacketId()
    {
        var id = ReadUInt16();
        if (id == 0)
        {
            MqttProtocolException.ThrowMalformed("packet identifier 0");
        }

        return id;
    }

    internal uint ReadVariableByteInteger()
    {
        var status = VariableByteInteger.TryRead(_rest, out var value, out var length);
        if (status != VariableByteIntegerStatus.Done)
        {
            MqttProtocolException.ThrowMalformed(
                status == VariableByteIntegerStatus.NeedMore ? "the packet ends inside a length" : "a length of more than four bytes, or not in its shortest form");
        }

        _rest = _rest[length..];
        return value;
    }

    internal ReadOnlySpan<byte> ReadBinary()
    {
        var length = ReadUInt16();
        return ReadBytes(length);
    }

    internal ReadOnlySpan<byte> ReadString()
    {
        var text = ReadBinary();
        if (!Utf8Text.IsValid(text))
        {
            MqttProtocolException.ThrowMalformed("a string is not well-formed UTF-8, or holds U+0000");
        }

        return text;
    }

    internal ReadOnlySpan<byte> ReadBytes(int length)
    {
        if (length > _rest.Length)
        {
            MqttProtocolException.ThrowMalformed("a field is longer than the packet");
        }

        var bytes = _rest[..length];
        _rest = _rest[length..];
        return bytes;
    }

    /// <summary>Reads the property length and the properties; validates them for <paramref name="packet"/>.</summary>
    internal PropertyBlock ReadProperties(MqttPacketType packet)
    {
        var length = ReadVariableByteInteger();
        if (length == 0)
        {
            return default;
        }

        if (length > (uint)_rest.Length)
        {
            MqttProtocolException.ThrowMalformed("the properties are longer than the packet");
        }

        return PropertyBlock.Validate(ReadBytes((int)length), packet);
    }

    internal readonly void ExpectEnd()
    {
        if (!_rest.IsEmpty)
        {
            MqttProtocolException.ThrowMalformed("bytes after the last field");
        }
    }
}
