using System.Runtime.InteropServices;
using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Hosting;

/// <summary>The broker as a part of a host. SIGHUP reads users, access rules and certificates again.</summary>
internal sealed partial class BrokerRole(MqttBroker broker, Func<MqttBrokerOptions> read, ILogger<BrokerRole> logger) : IHostedService
{
    private readonly ILogger _logger = logger;
    private PosixSignalRegistration? _hangUp;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reload);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _hangUp?.Dispose();
        return Task.CompletedTask;
    }

    /// <param name="host">The host.</param>
    /// <param name="options">How the broker runs.</param>
    /// <param name="read">Reads the options again.</param>
    /// <param name="option">What changes the port of a listener, in the user's words.</param>
    internal static void AddTo(
        MooringHost host, MqttBrokerOptions options, Func<MqttBrokerOptions> read, Func<MqttListener, string> option)
    {
        foreach (var listener in options.Listeners)
        {
            host.Announce(new Listener(Name(listener.Transport), listener.EndPoint, option(listener)));
        }

        host.Services.AddMqttBroker(options);
        host.Services.AddHostedService(services => new BrokerRole(
            services.GetRequiredService<MqttBroker>(), read, services.GetRequiredService<ILogger<BrokerRole>>()));
        host.Services.AddSingleton(services =>
        {
            var broker = services.GetRequiredService<MqttBroker>();
            return new Readiness("mqtt", () => broker.EndPoints.Count > 0 ? null : "not listening yet");
        });
    }

    /// <summary>One row for each listener.</summary>
    internal static void Describe(MqttBroker broker, AddressTable table)
    {
        foreach (var listener in broker.Bound)
        {
            var port = listener.EndPoint.Port;
            var (where, next) = listener.Transport switch
            {
                MqttTransport.Tls => ($"mqtts://{listener.EndPoint}", $"mosquitto_sub -p {port} --cafile {listener.Tls!.Authorities ?? "CA"} -t '#' -v"),
                MqttTransport.WebSocket => ($"ws://{listener.EndPoint}{listener.Path}", ""),
                MqttTransport.SecureWebSocket => ($"wss://{listener.EndPoint}{listener.Path}", ""),
                _ => ($"mqtt://{listener.EndPoint}", $"mosquitto_sub -p {port} -t '#' -v"),
            };
            table.Add(Name(listener.Transport), where, next);
        }
    }

    private static string Name(MqttTransport transport) => transport switch
    {
        MqttTransport.Tls => "MQTT over TLS",
        MqttTransport.WebSocket => "MQTT over WebSocket",
        MqttTransport.SecureWebSocket => "MQTT over secure WebSocket",
        _ => "MQTT",
    };

    private void Reload(PosixSignalContext context)
    {
        context.Cancel = true;
        broker.ReloadCertificates();
        try
        {
            broker.ReloadAccess(read());
        }
        catch (Exception exception) when (CommandLine.Explain(exception) is { } lines)
        {
            foreach (var line in lines) LogNotReloaded(line);
        }
    }

    [LoggerMessage(9100, LogLevel.Warning, "the configuration stays as it was: {Why}")]
    private partial void LogNotReloaded(string why);
}
