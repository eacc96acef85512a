using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>What of a CONNECT is needed after the client has been found to be who it says.</summary>
/// <param name="ClientId">Given by the client, or assigned.</param>
/// <param name="IsAssigned">Whether the identifier was assigned.</param>
/// <param name="CleanStart">Whether a session that exists is ended first.</param>
/// <param name="AskedExpiry">Session Expiry Interval as asked for.</param>
/// <param name="Expiry">Session Expiry Interval as granted.</param>
/// <param name="Will">The will, if any.</param>
/// <param name="ServerKeepAlive">The keep-alive that the client has to use instead of its own; null for its own.</param>
internal sealed record ConnectRequest(
    string ClientId, bool IsAssigned, bool CleanStart, uint AskedExpiry, uint Expiry, Will? Will,
    ushort? ServerKeepAlive);
