namespace Mooring.Tunnel.Server.Accounts;

/// <summary>Payload bytes that an account's tunnels carried on one day.</summary>
/// <param name="Day">Days since 1 January of the year 1, UTC.</param>
/// <param name="Bytes">Both directions.</param>
internal readonly record struct Traffic(int Day, long Bytes);
