using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules;
using Mooring.Fleet.Modules.Calls;
using Mooring.Kernel.Events;
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
            provider.GetRequiredService<ILogger<FleetServer>>(),
            provider.GetService<OperatorEvents>()));
        services.AddHostedService(provider => new Lifetime(provider.GetRequiredService<FleetServer>()));
        return services;
    }

    /// <summary>Loads every module library that the options name, and starts none.</summary>
    /// <param name="options">The options.</param>
    /// <returns>One line for each that cannot be used.</returns>
    public static IReadOnlyList<string> CheckModules(FleetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return ModuleCheck.FaultsOf(options.Cars.SelectMany(car => car.Modules));
    }

    private sealed class Lifetime(FleetServer server) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync(cancellationToken);

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        /// <summary>Before a broker in the same host closes its connections: the gateways get their notes.</summary>
        public Task StoppingAsync(CancellationToken cancellationToken) => server.StopAsync();

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
