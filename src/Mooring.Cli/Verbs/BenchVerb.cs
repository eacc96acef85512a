using System.CommandLine;
using Mooring.Bench;
using Mooring.Bench.Mqtt;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring bench</c>: the load generators.</summary>
internal static class BenchVerb
{
    internal static Command Create() => new("bench", "Measures with what our own figures are measured with.")
    {
        CreateMqtt(),
        BenchFleet.Create(),
        BenchEdge.Create(),
        BenchChat.Create(),
        TunnelBenchVerb.Create(),
    };

    private static Command CreateMqtt()
    {
        var standard = new MqttBenchOptions();
        var scenarios = new Argument<string[]>("SCENARIO")
        {
            Description = $"Scenarios to run; all when none is named: {string.Join(", ", MqttBenchOptions.AllScenarios)}.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var peers = new Option<string[]>("--peer")
        {
            Description = "Brokers to start and compare: self, mosquitto. Without it: the server at --host and --port.",
            HelpName = "PEER",
            AllowMultipleArgumentsPerToken = true,
        };
        var hostName = new Option<string>("--host") { Description = "Host of a running server.", DefaultValueFactory = _ => standard.Host };
        var port = new Option<int>("--port") { Description = "Port of a running server.", DefaultValueFactory = _ => standard.Port };
        var process = new Option<int?>("--pid") { Description = "Process of a running server on this machine, for its CPU time and memory." };
        var seconds = new Option<int>("--seconds") { Description = "Measured seconds of each run.", DefaultValueFactory = _ => standard.Seconds };
        var payload = new Option<int>("--payload") { Description = "Payload bytes of each message.", DefaultValueFactory = _ => standard.PayloadBytes };
        var runs = new Option<int>("--runs") { Description = "Runs of each scenario.", DefaultValueFactory = _ => standard.Runs };
        var command = new Command("mqtt", "Load on an MQTT broker; every delivery is checked.")
        {
            scenarios, peers, hostName, port, process, seconds, payload, runs,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // With a data folder, as users run it.
            var data = Directory.CreateTempSubdirectory("mooring-bench-").FullName;
            var options = standard with
            {
                Scenarios = parsed.GetValue(scenarios) ?? [],
                Peers = parsed.GetValue(peers) ?? [],
                SelfCommand = [Environment.ProcessPath!, "broker", "--log-level", "Warning", "--mqtt-port", "{port}", "--data", data],
                Host = parsed.GetValue(hostName)!,
                Port = parsed.GetValue(port),
                ServerProcessId = parsed.GetValue(process),
                Seconds = parsed.GetValue(seconds),
                PayloadBytes = parsed.GetValue(payload),
                Runs = parsed.GetValue(runs),
            };
            try
            {
                return await MqttBench.RunAsync(options, Console.Out, cancellationToken);
            }
            catch (MooringBenchException exception)
            {
                throw new UserErrorException(exception.Message.Split(Environment.NewLine));
            }
            finally
            {
                Directory.Delete(data, recursive: true);
            }
        });
        return command;
    }
}
