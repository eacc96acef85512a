using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>A tunnel server that does exactly what a test says, over a WebSocket implementation that is not Mooring's.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private int _connections;

    private ScriptedServer(WebApplication application) => _application = application;

    public string Address => "127.0.0.1:" + new Uri(_application.Urls.First()).Port;

    /// <summary>Control connections that were asked for, refused ones included.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <param name="control">What happens on each control connection, numbered from 1.</param>
    /// <param name="proxy">What happens on each proxy connection of generation A.</param>
    /// <param name="refuse">A status instead of the upgrade; null to accept.</param>
    /// <param name="beforeProxy">What a proxy connection waits for before it is answered.</param>
    public static async Task<ScriptedServer> StartAsync(
        Func<ScriptedConnection, Task> control, Func<ScriptedConnection, Task>? proxy = null, Func<int, int?>? refuse = null,
        Func<CancellationToken, Task>? beforeProxy = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        var server = new ScriptedServer(application);
        application.UseWebSockets();
        application.Map("/api/v1/ws/tunnel", context => server.ServeAsync(context, control, refuse));
        application.Map("/api/v1/ws/proxy", async context =>
        {
            if (beforeProxy is not null) await beforeProxy(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await server.ServeAsync(context, proxy ?? (_ => Task.CompletedTask), null);
        });
        await application.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context, Func<ScriptedConnection, Task> script, Func<int, int?>? refuse)
    {
        var isControl = context.Request.Path.Value!.EndsWith("tunnel", StringComparison.Ordinal);
        var number = isControl ? Interlocked.Increment(ref _connections) : 0;
        if (refuse?.Invoke(number) is { } status)
        {
            context.Response.StatusCode = status;
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        try
        {
            await script(new ScriptedConnection(socket, number, context.Request.Headers.Authorization.ToString()));
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            // The client is gone.
        }
    }
}
