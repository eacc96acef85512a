using System.CommandLine;
using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring broker</c>: the MQTT broker alone.</summary>
internal static class BrokerVerb
{
    internal static Command Create()
    {
        var bind = SharedOptions.Bind();
        var port = SharedOptions.Port("--mqtt-port", 1883, "the MQTT listener");
        port.Aliases.Add("--port");
        var threads = new Option<int>("--io-threads")
        {
            Description = "Threads that move bytes.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        var logLevel = SharedOptions.LogLevels(LogLevel.Information);
        var command = new Command("broker", "Runs the MQTT broker alone (MQTT 3.1, 3.1.1 and 5.0 over TCP).") { bind, port, threads, logLevel };
        command.SetAction((parsed, cancellationToken) =>
        {
            var host = MooringHost.Create(parsed.GetValue(logLevel));
            BrokerRole.AddTo(host, new MqttBrokerOptions
            {
                Listeners = [new IPEndPoint(MooringHost.ParseAddress("--bind", parsed.GetValue(bind)!), parsed.GetValue(port))],
                IoThreads = parsed.GetValue(threads),
            });
            return host.RunWithoutHttpAsync(cancellationToken);
        });
        return command;
    }
}
