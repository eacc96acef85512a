using Mooring.Mqtt.Client.Connections;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>A received message on its way to the handlers, and what acknowledges it.</summary>
/// <param name="Message">The message; its payload lies in <paramref name="Rented"/>.</param>
/// <param name="Rented">Goes back to the pool after the last handler; null when nothing was rented.</param>
/// <param name="PacketId">0 for QoS 0.</param>
/// <param name="Connection">Where it came from: PUBACK means nothing on another connection.</param>
/// <param name="SessionNumber">Which session of the broker: PUBREC means nothing in another.</param>
internal readonly record struct Inbound(
    MqttMessage Message, byte[]? Rented, ushort PacketId, ClientConnection Connection, int SessionNumber);
