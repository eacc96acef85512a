namespace Mooring.Mqtt.Codec;

internal enum VariableByteIntegerStatus
{
    Done,
    NeedMore,
    Malformed,
}

/// <summary>
/// Variable byte integer (MQTT-1.5.5): 7 bits a byte, low group first, bit 7 means more; 1 to 4 bytes, at most
/// 268,435,455, and in the shortest form (MQTT-1.5.5-1).
/// </summary>
internal static class VariableByteInteger
{
    internal const uint Maximum = 268_435_455;
    internal const int MaximumLength = 4;

    internal static VariableByteIntegerStatus TryRead(ReadOnlySpan<byte> input, out uint value, out int length)
    {
        value = 0;
        for (length = 0; length < MaximumLength; length++)
        {
            if (length >= input.Length)
            {
                return VariableByteIntegerStatus.NeedMore;
            }

            var next = input[length];
            value |= (uint)(next & 0x7F) << (7 * length);
            if ((next & 0x80) == 0)
            {
                var shortest = length == 0 || next != 0;
                length++;
                return shortest ? VariableByteIntegerStatus.Done : VariableByteIntegerStatus.Malformed;
            }
        }

        return VariableByteIntegerStatus.Malformed;
    }

    internal static int LengthOf(uint value) => value switch
    {
        < 1 << 7 => 1,
        < 1 << 14 => 2,
        < 1 << 21 => 3,
        _ => 4,
    };

    /// <summary>Writes <paramref name="value"/> and returns the number of bytes written.</summary>
    internal static int Write(Span<byte> output, uint value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Maximum);
        var length = 0;
        do
        {
            var group = (byte)(value & 0x7F);
            value >>= 7;
            output[length++] = value == 0 ? group : (byte)(group | 0x80);
        }
        while (value != 0);
        return length;
    }
}
