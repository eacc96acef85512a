namespace Mooring.Web.Readings;

/// <summary>A request of a visitor.</summary>
/// <param name="Number">Grows from request to request.</param>
/// <param name="At">When it ended.</param>
/// <param name="Tunnel">Through which tunnel.</param>
/// <param name="Method">Its method.</param>
/// <param name="Path">What was asked for, without the query, which may hold secrets.</param>
/// <param name="Status">How it was answered.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Visitor">From where.</param>
/// <param name="Bytes">Bytes of the answer.</param>
public readonly record struct RequestReading(
    long Number, DateTimeOffset At, string Tunnel, string Method, string Path, int Status, double Milliseconds, string Visitor, long Bytes);
