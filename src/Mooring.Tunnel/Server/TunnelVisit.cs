namespace Mooring.Tunnel.Server;

/// <summary>A visitor's request that was answered.</summary>
/// <param name="Number">Grows by one from request to request.</param>
/// <param name="At">When it was answered.</param>
/// <param name="Tunnel">Through which tunnel.</param>
/// <param name="Method">Its method.</param>
/// <param name="Path">What was asked for, without the query, which may hold secrets of the application.</param>
/// <param name="Status">The status of the answer.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Visitor">Address of the visitor.</param>
/// <param name="Bytes">Bytes of the answer's body.</param>
public readonly record struct TunnelVisit(
    long Number, DateTimeOffset At, string Tunnel, string Method, string Path, int Status, TimeSpan Duration, string Visitor, long Bytes);
