using Mooring.Fleet.Configuration;
using Mooring.Kernel.Links;
using Mooring.Mqtt;
using Mooring.Mqtt.Client;

namespace Mooring.Cli.Hosting;

/// <summary>Clients of the external server for a broker elsewhere, as gateways and brokers know them from the original.</summary>
internal static class FleetClients
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    // A delay of zero would ask an absent broker in a busy loop.
    private static readonly TimeSpan ShortestDelay = TimeSpan.FromMilliseconds(100);

    private const int LargestPacket = 16 * 1024 * 1024;

    private const int TopicRoom = 128 * 1024;

    internal static IMqttClient Create(IServiceProvider services, FleetOptions options, string clientId)
    {
        var broker = options.Broker;
        var delay = options.RetryDelay > ShortestDelay ? options.RetryDelay : ShortestDelay;
        return new MqttClient(
            new MqttClientOptions
            {
                Server = new Uri($"{(broker.Tls is null ? "mqtt" : "mqtts")}://{broker}"),
                Version = MqttVersion.V311,
                ClientId = clientId,
                KeepAlive = KeepAlive,
                Credentials = broker is { UserName: null, Password: null } ? null : new MqttCredentials(broker.UserName, broker.Password),
                Tls = broker.Tls,
                Backoff = BackoffPolicy.Fixed(delay),
                // A car that sends more than it may is refused alone; the connection, which others share, stays.
                Limits = new MqttClientLimits { MaximumPacketBytes = Math.Max(LargestPacket, options.Limits.MessageBytes + TopicRoom) },
            },
            services.GetRequiredService<ILogger<MqttClient>>(),
            services.GetRequiredService<TimeProvider>());
    }
}
