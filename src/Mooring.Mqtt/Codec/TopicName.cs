namespace Mooring.Mqtt.Codec;

/// <summary>Topic names (MQTT-4.7): 1 to 65,535 bytes of UTF-8 without wildcards.</summary>
internal static class TopicName
{
    internal static bool IsValid(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= ushort.MaxValue && !name.ContainsAny((byte)'+', (byte)'#', (byte)0);

    /// <summary>Topics that begin with '$' belong to the server.</summary>
    internal static bool IsServerOwned(ReadOnlySpan<byte> name) => !name.IsEmpty && name[0] == (byte)'$';

    /// <summary>
    /// <c>$SYS/broker/connection/NAME/state</c>, where a bridge of mosquitto tells whether it is there: the one topic of the server's that
    /// others write, and that every bridge names in its will.
    /// </summary>
    internal static bool IsBridgeState(ReadOnlySpan<byte> name) =>
        name.StartsWith("$SYS/broker/connection/"u8) && name.EndsWith("/state"u8) && CountLevels(name) == 5;

    internal static int CountLevels(ReadOnlySpan<byte> nameOrFilter) => nameOrFilter.Count((byte)'/') + 1;
}
