using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>Whoever has more messages waiting than it should, and may have those who publish to it wait a little.</summary>
internal interface ICrowdedReceiver
{
    /// <summary>
    /// Notes a connection that is not read until the receiver has worked off half of what it may keep; null when there is room again, or
    /// when the receiver has held up publishers long enough. Otherwise the broker's clock at which the connection goes on in any case.
    /// </summary>
    long? TryHold(BrokerConnection publisher);
}
