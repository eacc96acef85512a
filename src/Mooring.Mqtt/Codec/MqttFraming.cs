using System.Buffers;

namespace Mooring.Mqtt.Codec;

/// <summary>
/// Fixed header (MQTT-2.1.1): type and flags in the first byte, then Remaining Length, which counts everything after
/// itself. The size limit is judged here, before anything is buffered.
/// </summary>
internal static class MqttFraming
{
    /// <summary>First byte and the longest Remaining Length.</summary>
    internal const int MaximumHeaderBytes = 1 + VariableByteInteger.MaximumLength;

    /// <exception cref="MqttProtocolException">Malformed header, or a packet of more than <paramref name="maximumPacketBytes"/>.</exception>
    internal static FrameReadResult TryRead(ReadOnlySpan<byte> input, int maximumPacketBytes, out MqttFrame frame)
    {
        frame = default;
        if (!TryReadHeader(input, maximumPacketBytes, out var headerLength, out var bodyLength)
            || input.Length - headerLength < bodyLength)
        {
            return FrameReadResult.NeedMore;
        }

        frame = new MqttFrame(input[0], input.Slice(headerLength, bodyLength), headerLength + bodyLength);
        return FrameReadResult.Frame;
    }

    /// <summary>As the span variant, over a pipe's buffer; consumes the packet from <paramref name="buffer"/> when it is whole.</summary>
    internal static bool TryRead(
        ref ReadOnlySequence<byte> buffer, int maximumPacketBytes, out byte firstByte, out ReadOnlySequence<byte> body)
    {
        firstByte = 0;
        body = default;
        Span<byte> scratch = stackalloc byte[MaximumHeaderBytes];
        scoped ReadOnlySpan<byte> header = buffer.FirstSpan;
        if (header.Length < MaximumHeaderBytes && !buffer.IsSingleSegment)
        {
            var start = buffer.Slice(0, Math.Min(MaximumHeaderBytes, buffer.Length));
            start.CopyTo(scratch);
            header = scratch[..(int)start.Length];
        }

        if (!TryReadHeader(header, maximumPacketBytes, out var headerLength, out var bodyLength)
            || buffer.Length - headerLength < bodyLength)
        {
            return false;
        }

        firstByte = header[0];
        body = buffer.Slice(headerLength, bodyLength);
        buffer = buffer.Slice(body.End);
        return true;
    }

    /// <summary>Reads the fixed header alone; false when more bytes are needed.</summary>
    internal static bool TryReadHeader(
        ReadOnlySpan<byte> input, int maximumPacketBytes, out int headerLength, out int bodyLength)
    {
        headerLength = 0;
        bodyLength = 0;
        if (input.IsEmpty)
        {
            return false;
        }

        CheckFlags(input[0]);
        switch (VariableByteInteger.TryRead(input[1..], out var remaining, out var lengthBytes))
        {
            case VariableByteIntegerStatus.NeedMore:
                return false;
            case VariableByteIntegerStatus.Malformed:
                MqttProtocolException.ThrowMalformed("Remaining Length has more than four bytes, or is not in its shortest form");
                return false;
            default:
                headerLength = 1 + lengthBytes;
                bodyLength = (int)remaining;
                if (headerLength + bodyLength > maximumPacketBytes)
                {
                    MqttProtocolException.Throw(
                        MqttReasonCode.PacketTooLarge,
                        $"a packet of {headerLength + bodyLength} bytes; {maximumPacketBytes} are allowed");
                }

                return true;
        }
    }

    /// <summary>Flags are fixed for every type but PUBLISH (MQTT-2.1.3-1), whose QoS must not be 3 (MQTT-3.3.1-4).</summary>
    private static void CheckFlags(byte firstByte)
    {
        var flags = firstByte & 0x0F;
        var valid = (MqttPacketType)(firstByte >> 4) switch
        {
            MqttPacketType.Will => false,
            MqttPacketType.Publish => (flags & 0x06) != 0x06,
            MqttPacketType.PubRel or MqttPacketType.Subscribe or MqttPacketType.Unsubscribe => flags == 0x02,
            _ => flags == 0,
        };
        if (!valid)
        {
            MqttProtocolException.ThrowMalformed($"first byte 0x{firstByte:X2}: no such packet type, or wrong flags");
        }
    }
}
