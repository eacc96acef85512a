namespace Mooring.Mqtt.Codec;

/// <summary>One whole packet: its first byte and the body that Remaining Length announced.</summary>
internal readonly ref struct MqttFrame(byte firstByte, ReadOnlySpan<byte> body, int length)
{
    internal byte FirstByte { get; } = firstByte;

    internal ReadOnlySpan<byte> Body { get; } = body;

    /// <summary>Bytes of the whole packet, fixed header included.</summary>
    internal int Length { get; } = length;

    internal MqttPacketType Type => (MqttPacketType)(FirstByte >> 4);
}
