using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mooring.SocketIO.Server;

/// <summary>
/// The opening handshake of RFC 6455 (HTTP/1.1) and RFC 8441 (HTTP/2). Done here because the framework's own hides the stream, and with
/// it the chance to send many frames with one write.
/// </summary>
internal static class WebSocketUpgrade
{
    private const string Version = "13";
    private const int KeyBytes = 16;

    // RFC 6455 1.3: a fixed text that no server would join to a key by chance.
    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    public static bool IsRequested(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" }
        || (context.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest == true
            && string.Equals(context.Request.Headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase));

    /// <summary>Accepts; null when the request's headers are wrong.</summary>
    public static async Task<Stream?> AcceptAsync(HttpContext context)
    {
        if (context.Request.Headers.SecWebSocketVersion != Version) return null;
        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            return await connect.AcceptAsync();
        }
        if (context.Request.Headers.SecWebSocketKey.ToString() is not { } key || !IsKey(key)) return null;
        context.Response.Headers.Connection = "Upgrade";
        context.Response.Headers.Upgrade = "websocket";
        context.Response.Headers.SecWebSocketAccept = AcceptOf(key);
        return await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes + 2];
        return Convert.TryFromBase64String(key, bytes, out var length) && length == KeyBytes;
    }

    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 4.2.2 asks for SHA-1; it protects nothing")]
    private static string AcceptOf(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + KeySuffix)));
}
