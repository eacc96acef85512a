using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>Failure codes as exceptions and words.</summary>
internal static class Refusals
{
    internal static MqttRefusedException Of(string what, MqttReasonCode reason, string? text) =>
        new((byte)reason, $"{what} was refused: {Words(reason, text)}");

    internal static string Words(MqttReasonCode reason, string? text) =>
        string.IsNullOrEmpty(text) ? $"{reason} (0x{(byte)reason:X2})" : $"{reason} (0x{(byte)reason:X2}), '{text}'";
}
