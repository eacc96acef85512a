using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules;
using Mooring.Fleet.Modules.Calls;
using Mooring.Mqtt;

namespace Mooring.Fleet;

/// <summary>Puts the external server into a host.</summary>
public static class FleetHosting
{
    /// <summary>Adds the external server; it starts and stops with the host.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">How it runs.</param>
    /// <param name="createClient">Makes the client for the options' broker and a client id.</param>
    public static IServiceCollection AddFleet(
        this IServiceCollection services, FleetOptions options,
        Func<IServiceProvider, FleetOptions, string, IMqttClient> createClient)
    {
        services.TryAddSingleton<IModuleLoader>(provider => new ModuleLoader(
            options.Polling,
            new ModuleLimits(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>().CreateLogger<ModuleLoader>()));
        services.AddSingleton(provider => new FleetServer(
            options,
            (running, clientId) => createClient(provider, running, clientId),
            provider.GetRequiredService<IModuleLoader>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILogger<FleetServer>>()));
        services.AddHostedService(provider => new Lifetime(provider.GetRequiredService<FleetServer>()));
        return services;
    }

    private sealed class Lifetime(FleetServer server) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync();
    }
}
