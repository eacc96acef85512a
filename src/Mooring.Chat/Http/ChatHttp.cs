using System.Net;
using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Chat.Configuration;
using Mooring.Chat.Rooms;
using Mooring.Kernel.Tls;

namespace Mooring.Chat.Http;

/// <summary>The web server of a chat server: REST, WebSocket, the page, and lines inside of TLS.</summary>
internal sealed class ChatHttp : IAsyncDisposable
{
    // A request's head: addresses with two long names in percent escapes fit several times.
    private const int RequestLineBytes = 8 * 1024;

    private readonly WebApplication _application;
    private readonly List<ListenOptions> _lines = [];
    private ListenOptions? _http;

    internal ChatHttp(ChatServer server, ChatHub hub, ReloadableCertificate? certificate, ILoggerFactory loggers)
    {
        var options = hub.Options;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders().AddProvider(new Forwarding(loggers));
        // A start that fails is told by whoever started the server.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, server, hub, certificate));
        _application = builder.Build();
        if (options.Mode == ChatMode.Socket) return;
        var logger = loggers.CreateLogger<ChatHttp>();
        var dispatcher = new ApiDispatcher(hub, logger);
        var api = new ChatApi(server, hub);
        var endpoints = api.Endpoints();
        dispatcher.Map(_application, [.. endpoints, .. new ChatPages(server, hub, endpoints).Endpoints()]);
        _application.MapGet(WebSocketEndpoint.Path, new WebSocketEndpoint(hub, dispatcher, api.Mailboxes).HandleAsync);
    }

    /// <summary>Where HTTP is served; null when it is not.</summary>
    internal IPEndPoint? EndPoint => _http?.IPEndPoint;

    /// <summary>Where lines inside of TLS are served.</summary>
    internal IReadOnlyList<IPEndPoint> LineEndPoints => [.. _lines.Select(line => line.IPEndPoint!)];

    internal Task StartAsync(CancellationToken cancellationToken) => _application.StartAsync(cancellationToken);

    internal async Task StopAsync()
    {
        // Clients were told by then; what is left are idle connections of callers.
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _application.StopAsync(now.Token).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private void Listen(KestrelServerOptions kestrel, ChatServer server, ChatHub hub, ReloadableCertificate? certificate)
    {
        var options = hub.Options;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestLineSize = RequestLineBytes;
        kestrel.Limits.MaxConcurrentConnections = null;
        kestrel.Limits.MaxConcurrentUpgradedConnections = null;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        if (options.Mode != ChatMode.Socket)
        {
            kestrel.Listen(options.Http, listen =>
            {
                _http = listen;
                listen.Protocols = HttpProtocols.Http1;
                if (options.ProxyProtocol) listen.UseProxyProtocol(hub.Time);
                // A page's visitor, a probe or a hook may present a token instead of a certificate.
                if (options.HttpUseSsl) listen.UseTls(certificate!, options.ClientCaPath is null ? ClientCertificates.NotAsked : ClientCertificates.Optional, Protocols(options));
            });
        }
        if (options.Mode == ChatMode.Http || !options.UseSsl) return;
        var handler = new LineConnectionHandler(hub, server.Protocol);
        foreach (var socket in options.Sockets)
        {
            kestrel.Listen(socket, listen =>
            {
                _lines.Add(listen);
                if (options.ProxyProtocol) listen.UseProxyProtocol(hub.Time);
                listen.UseTls(certificate!, options.ClientCaPath is null ? ClientCertificates.NotAsked : ClientCertificates.Required, Protocols(options));
                listen.Run(handler.OnConnectedAsync);
            });
        }
    }

    private static SslProtocols Protocols(ChatOptions options) => options.RequireTls13 ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>The web server logs where everything logs.</summary>
    private sealed class Forwarding(ILoggerFactory loggers) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => loggers.CreateLogger(categoryName);

        public void Dispose()
        {
        }
    }

    /// <summary>The process's signals are the business of whoever runs the chat server.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
