using System.Security.Cryptography.X509Certificates;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>Where a connection came in, and what TLS found out about its client.</summary>
/// <param name="Listener">The listener.</param>
/// <param name="Certificate">The client's certificate, found good; null when it showed none.</param>
internal sealed record ClientEntrance(MqttListener Listener, X509Certificate2? Certificate = null);
