using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Tls;
using Mooring.Storage;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Api;

namespace Mooring.Tunnel.Server;

/// <summary>Puts the tunnel server into an ASP.NET host.</summary>
public static class TunnelServerHosting
{
    /// <summary>Adds the server; it starts and stops with the host, and the host's Kestrel serves its control listener.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">How it runs.</param>
    /// <param name="storage">Where accounts and names are kept.</param>
    public static IServiceCollection AddTunnelServer(this IServiceCollection services, TunnelServerOptions options, StorageOptions storage)
    {
        services.AddSingleton(provider => new TunnelServer(
            options, storage, provider, provider.GetRequiredService<ILoggerFactory>(), provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddSingleton(provider => new ControlListener(
            options, provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetRequiredService<ILoggerFactory>()));
        services.AddHostedService(provider => new Lifetime(provider.GetRequiredService<TunnelServer>()));
        services.AddOptions<KestrelServerOptions>().Configure<ControlListener>((kestrel, listener) => listener.Bind(kestrel));
        return services;
    }

    /// <summary>Serves clients and the accounts' REST API on the control listener, and nothing of the host's other endpoints there.</summary>
    /// <param name="application">The host.</param>
    public static void MapTunnelServer(this WebApplication application)
    {
        var server = application.Services.GetRequiredService<TunnelServer>();
        // A proxy in front makes every client look local, to whom operators' endpoints would be open.
        application.Use((context, next) =>
        {
            if (context.Features.Get<ControlListener.Mark>() is null || context.Request.Path.StartsWithSegments(WireLimits.ApiPath)) return next(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        var control = application.MapGroup("").AddEndpointFilter(async (context, next) =>
            context.HttpContext.Features.Get<ControlListener.Mark>() is null ? Results.NotFound() : await next(context));
        control.MapGet(WireLimits.ControlPath, (HttpContext context) => ControlEndpoint.ServeControlAsync(context, server));
        control.MapGet(WireLimits.ProxyPath, (HttpContext context) => ControlEndpoint.ServeProxyAsync(context, server));
        AccountEndpoints.Map(control, server);
        HostnameEndpoints.Map(control, server);
    }

    /// <summary>Serves the admin API, below <c>/admin/v1</c>. On a loopback listener everybody may use it; elsewhere a token of scope admin is needed.</summary>
    /// <param name="routes">The host's endpoints.</param>
    public static void MapTunnelAdmin(this IEndpointRouteBuilder routes) =>
        AdminEndpoints.Map(routes, routes.ServiceProvider.GetRequiredService<TunnelServer>());

    /// <summary>The address of the control listener once it is bound.</summary>
    /// <param name="services">The host's services.</param>
    public static System.Net.IPEndPoint TunnelControlEndPoint(this IServiceProvider services) => services.GetRequiredService<ControlListener>().EndPoint;

    private sealed class ControlListener(TunnelServerOptions options, TimeProvider time, ILoggerFactory loggers) : IDisposable
    {
        private ListenOptions? _bound;
        private ReloadableCertificate? _certificate;

        public System.Net.IPEndPoint EndPoint => _bound?.IPEndPoint ?? options.Control;

        public void Bind(KestrelServerOptions kestrel) => kestrel.Listen(options.Control, listen =>
        {
            _bound = listen;
            // WebSockets of clients are HTTP/1.1.
            listen.Protocols = HttpProtocols.Http1;
            if (options.ControlTls is { } files)
            {
                _certificate = new ReloadableCertificate(files, time, loggers.CreateLogger<ReloadableCertificate>()).Watch();
                listen.UseTls(_certificate);
            }
            listen.Use(next => connection =>
            {
                connection.Features.Set(new Mark());
                return next(connection);
            });
        });

        public void Dispose() => _certificate?.Dispose();

        /// <summary>A connection that came in at the control listener.</summary>
        internal sealed class Mark;
    }

    private sealed class Lifetime(TunnelServer server) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync(cancellationToken);

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        /// <summary>Before Kestrel stops, which waits for every connection to end.</summary>
        public Task StoppingAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
