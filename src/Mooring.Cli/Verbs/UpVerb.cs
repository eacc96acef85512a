using System.CommandLine;
using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring up</c>: every role that exists, in one process.</summary>
internal static class UpVerb
{
    internal static Command Create()
    {
        var mqttPort = SharedOptions.Port("--mqtt-port", 1883, "the MQTT listener");
        var httpPort = SharedOptions.Port("--http-port", 7700, "health, metrics and the operator API");
        var logLevel = SharedOptions.LogLevels(LogLevel.Warning);
        var command = new Command("up", "Runs everything on this machine, on loopback.") { mqttPort, httpPort, logLevel };
        command.SetAction((parsed, cancellationToken) =>
        {
            var host = MooringHost.Create(parsed.GetValue(logLevel));
            BrokerRole.AddTo(host, new MqttBrokerOptions
            {
                Listeners = [new IPEndPoint(IPAddress.Loopback, parsed.GetValue(mqttPort))],
            });
            host.ListenHttp(new Listener("health and metrics", new IPEndPoint(IPAddress.Loopback, parsed.GetValue(httpPort)), "--http-port"));
            return host.RunAsync(application => application.MapHealth(), PrintTable, cancellationToken);
        });
        return command;
    }

    private static void PrintTable(WebApplication application)
    {
        var mqtt = application.Services.GetRequiredService<MqttBroker>().EndPoints[0];
        var http = application.Urls.First();
        var table = new AddressTable();
        table.Add("MQTT", $"mqtt://{mqtt}", $"mosquitto_sub -p {mqtt.Port} -t '#' -v");
        table.Add("health", $"{http}/health/ready", $"curl {http}/health/ready");
        table.Add("metrics", $"{http}/metrics", $"curl {http}/metrics");
        table.Print("Mooring is up.");
    }
}
