namespace Mooring.Tunnel.Client;

/// <summary>One exchange that a client carried.</summary>
/// <param name="Method">Verb; "TCP" or "WS" for connections.</param>
/// <param name="Path">Request target.</param>
/// <param name="Status">Status that the visitor saw; 0 when there was none.</param>
/// <param name="Duration">From its arrival to its end.</param>
/// <param name="RequestId">Correlation id; empty when the server gave none.</param>
public readonly record struct ObservedRequest(string Method, string Path, int Status, TimeSpan Duration, string RequestId);
