using System.CommandLine;
using Mooring.Bench;
using Mooring.Bench.Edge;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring bench edge</c>: this program's hub under agents.</summary>
internal static class BenchEdge
{
    internal static Command Create()
    {
        var standard = new EdgeBenchOptions();
        var agents = new Option<int>("--agents") { Description = "Connected agents.", HelpName = "N", DefaultValueFactory = _ => standard.Agents };
        var seconds = new Option<int>("--seconds") { Description = "Measured seconds.", HelpName = "N", DefaultValueFactory = _ => standard.Seconds };
        var operators = new Option<int>("--operators") { Description = "Operators that ask one question after another.", HelpName = "N", DefaultValueFactory = _ => standard.Operators };
        foreach (var number in new[] { agents, seconds, operators })
        {
            number.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<int>() < 1) result.AddError($"{number.Name}: use 1 or more");
            });
        }
        var command = new Command("edge", "Agents on a hub: time to connect, memory, processor time, latency of a query end to end.") { agents, seconds, operators };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var data = Directory.CreateTempSubdirectory("mooring-bench-").FullName;
            try
            {
                return await EdgeBench.RunAsync(
                    standard with
                    {
                        HubCommand =
                        [
                            Environment.ProcessPath!, "hub", "--log-level", "Warning", "--data", data,
                            "--port", EdgeBenchOptions.AgentsPort, "--http-port", EdgeBenchOptions.HttpPort,
                        ],
                        Agents = parsed.GetValue(agents),
                        Seconds = parsed.GetValue(seconds),
                        Operators = parsed.GetValue(operators),
                    },
                    Console.Out, cancellationToken);
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
