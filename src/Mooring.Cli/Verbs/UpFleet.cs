using System.CommandLine;
using Mooring.Cli.Hosting;
using Mooring.Fleet;
using Mooring.Fleet.Configuration;
using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Verbs;

/// <summary>The external server of <c>mooring up</c>, on the embedded broker.</summary>
internal sealed class UpFleet
{
    /// <summary>First level of the topics when nothing is configured.</summary>
    internal const string Company = "demo";

    /// <summary>Cars that may connect when nothing is configured: some for <c>--demo</c>, some for a gateway of one's own.</summary>
    private const int Cars = 20;

    /// <summary>The number of the Fleet Protocol's example module, which every gateway has at first.</summary>
    private const int ExampleModule = 1000;

    private readonly Option<string?> _file = new("--fleet")
    {
        Description = "Configuration of the external server; without it fleet.json in the data folder, or cars of company 'demo'.",
        HelpName = "FILE",
    };

    internal static UpFleet AddTo(Command command)
    {
        var fleet = new UpFleet();
        command.Options.Add(fleet._file);
        return fleet;
    }

    internal void AddTo(MooringHost host, ParseResult parsed, string dataFolder)
    {
        FleetConfiguration Read() => this.Read(parsed, dataFolder);
        FleetRole.AddTo(
            host, Read(), Read, (services, _, clientId) => services.GetRequiredService<MqttBroker>().CreateClient(clientId));
    }

    internal static void Describe(FleetServer server, string http, AddressTable table)
    {
        var options = server.Options;
        var cars = options.Cars.Count == 1 ? options.Cars[0].Name : $"{options.Cars.Count} cars, {options.Cars[0].Name} to {options.Cars[^1].Name}";
        table.Add("external server", $"company {options.Company}: {cars}", $"curl {http}/api/fleet/cars");
    }

    private FleetConfiguration Read(ParseResult parsed, string dataFolder)
    {
        var file = parsed.GetValue(_file);
        var own = Path.Combine(dataFolder, "fleet.json");
        if (file is null && File.Exists(own)) file = own;
        if (file is null) return new FleetConfiguration(Standard(), []);
        var options = FleetOptionsFile.Load(file, out var warnings);
        return new FleetConfiguration(options with { Broker = Embedded }, warnings);
    }

    // The address is shown to people only: sessions inside the broker need none.
    private static FleetBrokerOptions Embedded => new() { Host = "embedded", Port = 0 };

    private static FleetOptions Standard()
    {
        var module = new ModuleOptions { Number = ExampleModule, Library = "builtin:demo" };
        return new FleetOptions
        {
            Company = Company,
            Broker = Embedded,
            Cars = [.. Enumerable.Range(1, Cars).Select(i => new CarOptions { Name = $"car_{i}", Modules = [module] })],
        };
    }
}
