namespace Mooring.Tunnel.Server.Names;

/// <summary>A name and its account.</summary>
/// <param name="Label">The name.</param>
/// <param name="Account">Whose it is.</param>
/// <param name="Expires">Unix milliseconds; null for never.</param>
internal sealed record NameReservation(string Label, string Account, long? Expires);
