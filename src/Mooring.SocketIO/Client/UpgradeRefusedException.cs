using System.Net;

namespace Mooring.SocketIO.Client;

/// <summary>The server, or something on the way to it, answered the request for a WebSocket with a page.</summary>
internal sealed class UpgradeRefusedException(HttpStatusCode status, string message) : IOException(message)
{
    /// <summary>Whether another transport would be refused as well.</summary>
    public bool IsAboutTheClient => status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests;
}
