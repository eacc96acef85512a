namespace Mooring.SocketIO;

/// <summary>A connection that is not wanted.</summary>
/// <param name="StatusCode">Status of the HTTP response, such as 401 or 403.</param>
/// <param name="Message">Told to the client.</param>
public sealed record SocketIORefusal(int StatusCode, string Message);
