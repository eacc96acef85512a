using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Events;
using Mooring.Mqtt.Broker.Transports.Kestrel;

namespace Mooring.Mqtt.Broker;

/// <summary>Puts the broker into an ASP.NET host.</summary>
public static class MqttBrokerHosting
{
    /// <summary>
    /// Adds the broker; it starts and stops with the host. Its TLS and WebSocket listeners are served by the host's Kestrel, beside
    /// whatever else that serves.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">How it runs.</param>
    public static IServiceCollection AddMqttBroker(this IServiceCollection services, MqttBrokerOptions options)
    {
        services.AddSingleton(provider => new MqttBroker(
            options, provider.GetRequiredService<ILogger<MqttBroker>>(), provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetService<OperatorEvents>()));
        services.AddHostedService(provider => new Lifetime(provider.GetRequiredService<MqttBroker>()));
        services.AddOptions<KestrelServerOptions>().Configure<MqttBroker>((kestrel, broker) => broker.BindTo(kestrel));
        services.AddTransient<IStartupFilter, WebSocketFilter>();
        return services;
    }

    /// <summary>
    /// Serves MQTT on a Kestrel endpoint of one's own, after TLS if the endpoint uses it.
    /// </summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="listener">Who is let in there; null for the rules of a listener of this address.</param>
    public static void UseMqttBroker(this ListenOptions endpoint, MqttBroker broker, MqttListener? listener = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        listener ??= new MqttListener { EndPoint = endpoint.IPEndPoint ?? new IPEndPoint(IPAddress.Loopback, 0) };
        endpoint.Run(new MqttConnectionHandler(broker, listener).OnConnectedAsync);
    }

    private sealed class Lifetime(MqttBroker broker) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            broker.Start();
            return Task.CompletedTask;
        }

        public Task StartedAsync(CancellationToken cancellationToken)
        {
            broker.LogKestrel();
            return Task.CompletedTask;
        }

        /// <summary>Before Kestrel stops, which waits for every connection to end.</summary>
        public Task StoppingAsync(CancellationToken cancellationToken)
        {
            broker.BeginStop();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => broker.DisposeAsync().AsTask();

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
