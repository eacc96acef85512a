using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker.Transports.Kestrel;

namespace Mooring.Mqtt.Broker;

/// <summary>Puts the broker into an ASP.NET host.</summary>
public static class MqttBrokerHosting
{
    /// <summary>Adds the broker; it starts and stops with the host.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">How it runs.</param>
    public static IServiceCollection AddMqttBroker(this IServiceCollection services, MqttBrokerOptions options)
    {
        services.AddSingleton(provider => new MqttBroker(
            options, provider.GetRequiredService<ILogger<MqttBroker>>(), provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddHostedService(provider => new Lifetime(provider.GetRequiredService<MqttBroker>()));
        return services;
    }

    /// <summary>
    /// Serves MQTT on a Kestrel endpoint, after TLS if the endpoint uses it. Clients without a certificate are let in from this machine only.
    /// </summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="broker">The broker.</param>
    public static void UseMqttBroker(this ListenOptions endpoint, MqttBroker broker)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var handler = new MqttConnectionHandler(broker);
        endpoint.Run(handler.OnConnectedAsync);
    }

    /// <summary>Serves MQTT over WebSocket; clients must offer the subprotocol <c>mqtt</c>, and the host uses WebSockets.</summary>
    /// <param name="endpoints">The host's endpoints.</param>
    /// <param name="path">For example <c>/mqtt</c>.</param>
    public static IEndpointConventionBuilder MapMqttBroker(this IEndpointRouteBuilder endpoints, string path)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var handler = new MqttConnectionHandler(endpoints.ServiceProvider.GetRequiredService<MqttBroker>());
        return endpoints.Map(path, (RequestDelegate)(context => WebSocketConnection.ServeAsync(context, handler)));
    }

    private sealed class Lifetime(MqttBroker broker) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            broker.Start();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => broker.DisposeAsync().AsTask();
    }
}
