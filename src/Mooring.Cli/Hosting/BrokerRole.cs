using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Hosting;

/// <summary>The embedded broker as a part of a host: started before what uses it, stopped after.</summary>
internal sealed class BrokerRole(MqttBroker broker) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        broker.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => broker.DisposeAsync().AsTask();

    internal static void AddTo(MooringHost host, MqttBrokerOptions options)
    {
        foreach (var endPoint in options.Listeners)
        {
            host.Announce(new Listener("MQTT", endPoint, "--mqtt-port"));
        }

        host.Services.AddSingleton(options);
        host.Services.AddSingleton<MqttBroker>();
        host.Services.AddHostedService<BrokerRole>();
        host.Services.AddSingleton(services =>
        {
            var broker = services.GetRequiredService<MqttBroker>();
            return new Readiness("mqtt", () => broker.EndPoints.Count > 0 ? null : "not listening yet");
        });
    }
}
