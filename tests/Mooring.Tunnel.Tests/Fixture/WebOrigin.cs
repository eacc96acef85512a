using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>An ordinary ASP.NET Core application to publish.</summary>
internal sealed class WebOrigin : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WebOrigin(WebApplication application) => _application = application;

    public int Port => new Uri(_application.Urls.First()).Port;

    public static async Task<WebOrigin> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        var application = builder.Build();
        application.UseWebSockets();
        application.MapGet("/hello", () => "hello");
        application.MapGet("/empty", () => Results.NoContent());
        application.MapGet("/headers", (HttpContext context) => string.Join('\n', context.Request.Headers.Select(h => $"{h.Key}: {h.Value}")));
        application.MapPost("/digest", async (HttpRequest request) => Convert.ToHexString(await SHA256.HashDataAsync(request.Body)));
        application.MapPost("/echo", async (HttpContext context) => await context.Request.Body.CopyToAsync(context.Response.Body));
        application.MapGet("/bytes/{count:long}", WriteBytesAsync);
        application.MapGet("/cookies", (HttpContext context) =>
        {
            context.Response.Headers.SetCookie = new(["a=1", "b=2"]);
            return "two";
        });
        application.Map("/socket", SocketAsync);
        await application.StartAsync();
        return new WebOrigin(application);
    }

    /// <summary>The bytes that /bytes/COUNT sends.</summary>
    public static byte At(long index) => (byte)((index * 31) + (index >> 8));

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    private static async Task WriteBytesAsync(HttpContext context, long count)
    {
        context.Response.ContentLength = count;
        var buffer = new byte[64 * 1024];
        for (long at = 0; at < count; at += buffer.Length)
        {
            var length = (int)Math.Min(buffer.Length, count - at);
            for (var i = 0; i < length; i++) buffer[i] = At(at + i);
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, length), context.RequestAborted);
        }
    }

    private static async Task SocketAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest || context.Request.Query["refuse"] == "1")
        {
            context.Response.StatusCode = 403;
            return;
        }
        var wanted = context.WebSockets.WebSocketRequestedProtocols;
        using var socket = await context.WebSockets.AcceptWebSocketAsync(wanted.Count > 0 ? wanted[0] : null);
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
            if (part.MessageType == WebSocketMessageType.Close) break;
            await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, context.RequestAborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
    }
}
