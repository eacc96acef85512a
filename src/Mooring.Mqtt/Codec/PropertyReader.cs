namespace Mooring.Mqtt.Codec;

/// <summary>
/// Walks the properties of one packet. Each step checks the encoding; what the packet allows was checked once by
/// <see cref="PropertyBlock.Validate"/>.
/// </summary>
internal ref struct PropertyReader(ReadOnlySpan<byte> raw)
{
    private readonly ReadOnlySpan<byte> _raw = raw;
    private FieldReader _fields = new(raw);

    internal PropertyId Id { get; private set; }

    /// <summary>Value of an integer property.</summary>
    internal uint Number { get; private set; }

    /// <summary>Value of a string or binary property; the name of a user property.</summary>
    internal ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The value of a user property.</summary>
    internal ReadOnlySpan<byte> PairValue { get; private set; }

    /// <summary>The property as it stands on the wire, identifier included.</summary>
    internal ReadOnlySpan<byte> Encoded { get; private set; }

    internal bool MoveNext()
    {
        if (_fields.IsAtEnd)
        {
            return false;
        }

        var start = _raw.Length - _fields.Rest.Length;
        // Identifiers are variable byte integers, but all that exist are below 128.
        var id = _fields.ReadByte();
        Id = (PropertyId)id;
        switch (PropertyTable.TypeOf(id))
        {
            case PropertyType.Byte:
                Number = _fields.ReadByte();
                break;
            case PropertyType.UInt16:
                Number = _fields.ReadUInt16();
                break;
            case PropertyType.UInt32:
                Number = _fields.ReadUInt32();
                break;
            case PropertyType.VariableByteInteger:
                Number = _fields.ReadVariableByteInteger();
                break;
            case PropertyType.Text:
                Bytes = _fields.ReadString();
                break;
            case PropertyType.Binary:
                Bytes = _fields.ReadBinary();
                break;
            case PropertyType.TextPair:
                Bytes = _fields.ReadString();
                PairValue = _fields.ReadString();
                break;
            default:
                MqttProtocolException.ThrowMalformed($"no such property: 0x{id:X2}");
                break;
        }

        Encoded = _raw[start..^_fields.Rest.Length];
        return true;
    }
}
