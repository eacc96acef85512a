using System.Buffers;

namespace Mooring.Mqtt.Codec;

/// <summary>The validated properties of one packet, as they stand on the wire, without their length.</summary>
internal readonly ref struct PropertyBlock
{
    private PropertyBlock(ReadOnlySpan<byte> raw) => Raw = raw;

    internal ReadOnlySpan<byte> Raw { get; }

    internal bool IsEmpty => Raw.IsEmpty;

    internal PropertyReader Read() => new(Raw);

    /// <summary>
    /// Checks that every property exists, may stand in <paramref name="packet"/>, stands there once unless it may repeat, and has
    /// a number in its range (MQTT-2.2.2.2).
    /// </summary>
    internal static PropertyBlock Validate(ReadOnlySpan<byte> raw, MqttPacketType packet)
    {
        var seen = 0UL;
        var reader = new PropertyReader(raw);
        while (reader.MoveNext())
        {
            var id = (byte)reader.Id;
            if (!PropertyTable.IsAllowed(id, packet))
            {
                MqttProtocolException.ThrowProtocolError($"property 0x{id:X2} may not stand in {packet}");
            }

            if ((seen & (1UL << id)) != 0 && !PropertyTable.MayRepeat(reader.Id, packet))
            {
                MqttProtocolException.ThrowProtocolError($"property 0x{id:X2} stands twice in {packet}");
            }

            if (IsNumber(id) && !PropertyTable.IsInRange(id, reader.Number))
            {
                MqttProtocolException.ThrowProtocolError($"property 0x{id:X2}: {reader.Number} is out of its range");
            }

            seen |= 1UL << id;
        }

        return new PropertyBlock(raw);
    }

    /// <summary>A block whose bytes were validated before, for example by the broker at reception.</summary>
    internal static PropertyBlock AlreadyValid(ReadOnlySpan<byte> raw) => new(raw);

    /// <summary>
    /// Copies what travels on to subscribers unchanged: payload format, content type, response topic, correlation data and user
    /// properties in order. Expiry, alias and identifiers are the broker's to write.
    /// </summary>
    internal void CopyForwardable(IBufferWriter<byte> output)
    {
        var reader = Read();
        while (reader.MoveNext())
        {
            if (IsForwardable(reader.Id))
            {
                output.Write(reader.Encoded);
            }
        }
    }

    internal static bool IsForwardable(PropertyId id) => id is PropertyId.PayloadFormatIndicator or PropertyId.ContentType
        or PropertyId.ResponseTopic or PropertyId.CorrelationData or PropertyId.UserProperty;

    private static bool IsNumber(byte id) => PropertyTable.TypeOf(id) is PropertyType.Byte or PropertyType.UInt16
        or PropertyType.UInt32 or PropertyType.VariableByteInteger;
}
