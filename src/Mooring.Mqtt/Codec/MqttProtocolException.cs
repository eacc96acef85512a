using System.Diagnostics.CodeAnalysis;

namespace Mooring.Mqtt.Codec;

/// <summary>The peer broke the protocol; the connection cannot go on.</summary>
internal sealed class MqttProtocolException(MqttReasonCode reason, string message) : Exception(message)
{
    /// <summary>What a 5.0 peer is told in DISCONNECT or CONNACK.</summary>
    internal MqttReasonCode Reason { get; } = reason;

    [DoesNotReturn]
    internal static void ThrowMalformed(string message) =>
        throw new MqttProtocolException(MqttReasonCode.MalformedPacket, message);

    [DoesNotReturn]
    internal static void ThrowProtocolError(string message) =>
        throw new MqttProtocolException(MqttReasonCode.ProtocolError, message);

    [DoesNotReturn]
    internal static void Throw(MqttReasonCode reason, string message) => throw new MqttProtocolException(reason, message);
}
