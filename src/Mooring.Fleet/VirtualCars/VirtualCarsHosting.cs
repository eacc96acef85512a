using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt;

namespace Mooring.Fleet.VirtualCars;

/// <summary>Puts virtual cars into a host.</summary>
public static class VirtualCarsHosting
{
    /// <summary>Adds virtual cars; they are switched on and off with the host. <see cref="VirtualFleet"/> is the service to ask.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">Which cars, and how they behave.</param>
    /// <param name="createClient">Makes a client with a given id for the cars' broker.</param>
    public static IServiceCollection AddVirtualCars(
        this IServiceCollection services, VirtualCarOptions options, Func<IServiceProvider, string, IMqttClient> createClient)
    {
        services.AddSingleton(provider => new VirtualFleet(
            options, id => createClient(provider, id), provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILogger<VirtualFleet>>()));
        services.AddHostedService(provider => new Lifetime(provider.GetRequiredService<VirtualFleet>()));
        return services;
    }

    private sealed class Lifetime(VirtualFleet fleet) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            fleet.Start();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => fleet.StopAsync();
    }
}
