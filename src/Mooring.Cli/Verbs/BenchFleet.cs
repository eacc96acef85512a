using System.CommandLine;
using Mooring.Bench;
using Mooring.Bench.Fleet;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring bench fleet</c>: this program's broker and external server, or others, under cars.</summary>
internal static class BenchFleet
{
    private const string BuiltinModule = "builtin:demo";

    internal static Command Create()
    {
        var standard = new FleetBenchOptions();
        var scenarios = new Argument<string[]>("SCENARIO")
        {
            Description = $"Scenarios to run; all when none is named: {string.Join(", ", FleetBenchOptions.AllScenarios)}.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var server = new Option<string?>("--server")
        {
            Description = "Command of another external server, {config} for its configuration; this program's when not given.",
            HelpName = "COMMAND",
        };
        var broker = new Option<string?>("--broker")
        {
            Description = "Command of another broker, {port} for its port; this program's when not given.",
            HelpName = "COMMAND",
        };
        var module = new Option<string>("--module")
        {
            Description = "Library of the cars' module 1000.",
            HelpName = "FILE",
            DefaultValueFactory = _ => SampleModule(),
        };
        var cars = Number("--cars", "Connected cars of scenario 'connected'.", standard.ConnectedCars);
        var rateCars = Number("--rate-cars", "Cars of scenario 'rate'.", standard.RateCars);
        var seconds = Number("--seconds", "Measured seconds of each run.", standard.Seconds);
        var runs = Number("--runs", "Runs of each scenario.", standard.Runs);
        var command = new Command("fleet", "Cars on an external server; every answer is checked.")
        {
            scenarios, server, broker, module, cars, rateCars, seconds, runs,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var data = Directory.CreateTempSubdirectory("mooring-bench-").FullName;
            var self = Environment.ProcessPath!;
            var options = standard with
            {
                Scenarios = parsed.GetValue(scenarios) ?? [],
                ServerCommand = Words(parsed.GetValue(server)) ?? [self, "fleet", "{config}"],
                BrokerCommand = Words(parsed.GetValue(broker)) ?? [self, "broker", "--log-level", "Warning", "--mqtt-port", "{port}", "--data", data],
                ModuleLibrary = parsed.GetValue(module)!,
                ConnectedCars = parsed.GetValue(cars),
                RateCars = parsed.GetValue(rateCars),
                Seconds = parsed.GetValue(seconds),
                Runs = parsed.GetValue(runs),
            };
            try
            {
                return await FleetBench.RunAsync(options, Console.Out, cancellationToken);
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

    private static Option<int> Number(string name, string description, int standard) =>
        new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => standard };

    private static string[]? Words(string? command) => command?.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The native sample where the launcher built it, as cars have native modules; else the module of this program.</summary>
    private static string SampleModule()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var library = Path.Combine(folder.FullName, "artifacts", "native", "libsample.so");
            if (File.Exists(library)) return library;
        }
        return BuiltinModule;
    }
}
