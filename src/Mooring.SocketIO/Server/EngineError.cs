using Microsoft.AspNetCore.Http;

namespace Mooring.SocketIO.Server;

/// <summary>Refusals of Engine.IO, with the codes and texts that clients know.</summary>
internal sealed record EngineError(int StatusCode, int Code, string Message)
{
    public static readonly EngineError UnknownTransport = new(StatusCodes.Status400BadRequest, 0, "Transport unknown");
    public static readonly EngineError UnknownSession = new(StatusCodes.Status400BadRequest, 1, "Session ID unknown");
    public static readonly EngineError BadMethod = new(StatusCodes.Status400BadRequest, 2, "Bad handshake method");
    public static readonly EngineError BadRequest = new(StatusCodes.Status400BadRequest, 3, "Bad request");
    public static readonly EngineError Forbidden = new(StatusCodes.Status403Forbidden, 4, "Forbidden");
    public static readonly EngineError UnsupportedVersion = new(StatusCodes.Status400BadRequest, 5, "Unsupported protocol version");
    public static readonly EngineError TooLarge = new(StatusCodes.Status413PayloadTooLarge, 3, "Payload too large");
    public static readonly EngineError Full = new(StatusCodes.Status503ServiceUnavailable, 4, "Too many connections");
}
