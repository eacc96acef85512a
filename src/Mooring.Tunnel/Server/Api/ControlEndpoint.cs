using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Server.Api;

/// <summary>Upgrades a request to a WebSocket that carries frames of ours.</summary>
internal static class ControlEndpoint
{
    /// <summary>Upgrades; null when the request was answered with an error.</summary>
    public static async Task<Stream?> AcceptAsync(HttpContext context, TunnelServer server, bool isCounted = true)
    {
        var remote = context.Connection.RemoteIpAddress?.ToString() ?? "";
        if (!server.IsReady || (isCounted && !server.Sessions.Handshakes.TryCount(remote)))
        {
            context.Response.StatusCode = server.IsReady ? StatusCodes.Status429TooManyRequests : StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "10";
            return null;
        }
        var key = context.Request.Headers.SecWebSocketKey.ToString();
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade || key.Length == 0
            || !context.Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.SecWebSocketVersion = "13";
            return null;
        }
        context.Response.Headers.Connection = "Upgrade";
        context.Response.Headers.Upgrade = "websocket";
        context.Response.Headers.SecWebSocketAccept = WebSocketFraming.Accept(key);
        return await upgrade.UpgradeAsync();
    }

    public static async Task ServeControlAsync(HttpContext context, TunnelServer server)
    {
        if (await AcceptAsync(context, server) is not { } stream) return;
        await server.ServeControlAsync(stream, context.Connection.RemoteIpAddress?.ToString() ?? "");
    }

    public static async Task ServeProxyAsync(HttpContext context, TunnelServer server)
    {
        if (await AcceptAsync(context, server, isCounted: false) is not { } stream) return;
        await server.ServeProxyAsync(stream);
    }
}
