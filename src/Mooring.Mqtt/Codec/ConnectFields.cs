namespace Mooring.Mqtt.Codec;

/// <summary>What a client puts into CONNECT.</summary>
internal readonly ref struct ConnectFields
{
    public ConnectFields()
    {
    }

    internal MqttVersion Version { get; init; } = MqttVersion.V311;

    internal bool CleanStart { get; init; }

    internal ushort KeepAliveSeconds { get; init; }

    internal ReadOnlySpan<byte> Properties { get; init; }

    internal ReadOnlySpan<byte> ClientId { get; init; }

    internal bool HasWill { get; init; }

    internal QualityOfService WillQualityOfService { get; init; }

    internal bool WillRetain { get; init; }

    internal ReadOnlySpan<byte> WillProperties { get; init; }

    internal ReadOnlySpan<byte> WillTopic { get; init; }

    internal ReadOnlySpan<byte> WillPayload { get; init; }

    internal bool HasUserName { get; init; }

    internal ReadOnlySpan<byte> UserName { get; init; }

    internal bool HasPassword { get; init; }

    internal ReadOnlySpan<byte> Password { get; init; }

    /// <summary>Connect flags (MQTT-3.1.2.3).</summary>
    internal byte Flags => (byte)(
        (CleanStart ? 0x02 : 0)
        | (HasWill ? 0x04 | ((int)WillQualityOfService << 3) | (WillRetain ? 0x20 : 0) : 0)
        | (HasPassword ? 0x40 : 0)
        | (HasUserName ? 0x80 : 0));
}
