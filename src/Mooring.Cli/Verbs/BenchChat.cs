using System.CommandLine;
using Mooring.Bench;
using Mooring.Bench.Chat;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring bench chat</c>.</summary>
internal static class BenchChat
{
    internal static Command Create()
    {
        var standard = new ChatBenchOptions();
        var scenarios = new Argument<string[]>("SCENARIO")
        {
            Description = $"Scenarios to run; all when none is named: {string.Join(", ", ChatBenchOptions.AllScenarios)}.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var peers = new Option<string[]>("--peer")
        {
            Description = $"Servers to start and compare: {string.Join(", ", ChatBenchOptions.AllPeers)}.",
            HelpName = "PEER",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [.. standard.Peers],
        };
        var seconds = new Option<int>("--seconds") { Description = "Measured seconds of each run.", DefaultValueFactory = _ => standard.Seconds };
        var payload = new Option<int>("--payload") { Description = "Bytes of each message.", DefaultValueFactory = _ => standard.PayloadBytes };
        var window = new Option<int>("--window") { Description = "Messages under way to each member.", DefaultValueFactory = _ => standard.Window };
        var runs = new Option<int>("--runs") { Description = "Runs of each scenario.", DefaultValueFactory = _ => standard.Runs };
        var command = new Command("chat", "Load on one room of a chat server; every delivery is checked.") { scenarios, peers, seconds, payload, window, runs };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = standard with
            {
                Scenarios = parsed.GetValue(scenarios) ?? [],
                Peers = parsed.GetValue(peers) ?? [],
                SelfCommand = [Environment.ProcessPath!, "chat", "--log-level", "Warning"],
                Seconds = parsed.GetValue(seconds),
                PayloadBytes = parsed.GetValue(payload),
                Window = parsed.GetValue(window),
                Runs = parsed.GetValue(runs),
            };
            try
            {
                return await ChatBench.RunAsync(options, Console.Out, cancellationToken);
            }
            catch (MooringBenchException exception)
            {
                throw new UserErrorException(exception.Message.Split(Environment.NewLine));
            }
        });
        return command;
    }
}
