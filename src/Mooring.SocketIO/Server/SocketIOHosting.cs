using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mooring.SocketIO;

/// <summary>Puts a Socket.IO server into an ASP.NET Core application.</summary>
public static class SocketIOHosting
{
    /// <summary>Where clients look for a server unless told otherwise.</summary>
    public const string DefaultPath = "/socket.io/";

    /// <summary>Adds one <see cref="SocketIOServer"/> to the application's services.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">How it treats its clients; null for the defaults.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddSocketIO(this IServiceCollection services, SocketIOServerOptions? options = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new SocketIOServer(
            options ?? new SocketIOServerOptions(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()));
        return services;
    }

    /// <summary>
    /// Lets clients reach the server. Authorization, rate limits and the like can be put on the result; they apply to every request,
    /// so to every poll.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="path">Where.</param>
    /// <param name="server">The server; null for the one of the services.</param>
    /// <returns>The endpoint, for conventions.</returns>
    public static IEndpointConventionBuilder MapSocketIO(
        this IEndpointRouteBuilder endpoints, string path = DefaultPath, SocketIOServer? server = null)
    {
        server ??= endpoints.ServiceProvider.GetRequiredService<SocketIOServer>();
        // Before the web server waits for its requests to end: those that poll would keep it waiting.
        endpoints.ServiceProvider.GetService<IHostApplicationLifetime>()?.ApplicationStopping.Register(server.Dispose);
        return endpoints.Map(path.TrimEnd('/') + "/", server.HandleAsync).WithDisplayName("Socket.IO " + path);
    }
}
