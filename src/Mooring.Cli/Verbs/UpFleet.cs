using System.CommandLine;
using Mooring.Cli.Hosting;
using Mooring.Fleet;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.VirtualCars;
using Mooring.Mqtt;
using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Verbs;

/// <summary>The external server of <c>mooring up</c>, on the embedded broker.</summary>
internal sealed class UpFleet
{
    /// <summary>First level of the topics when nothing is configured.</summary>
    internal const string Company = "demo";

    /// <summary>Cars that may connect when nothing is configured: for gateways of one's own, and for <c>mooring car</c>.</summary>
    private const int Cars = 20;

    /// <summary>Cars that <c>--demo</c> plays; they are added to whatever is configured.</summary>
    private const int DemoCars = 5;

    /// <summary>The number of the Fleet Protocol's example module, which every gateway has at first.</summary>
    private const int ExampleModule = 1000;

    private static readonly ModuleOptions DemoModule = new() { Number = ExampleModule, Library = "builtin:demo" };

    private readonly Option<string?> _file = new("--fleet-config", "--fleet")
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

    /// <summary>Adds the external server, and with <paramref name="isDemo"/> the cars that it talks to.</summary>
    internal static void AddTo(MooringHost host, FleetConfiguration configuration, Func<FleetConfiguration> read, bool isDemo, bool hasBroker)
    {
        FleetRole.AddTo(host, configuration, read, hasBroker ? (services, _, clientId) => CreateClient(services, clientId) : FleetClients.Create);
        if (!isDemo || !hasBroker) return;
        var cars = new VirtualCarOptions { Company = configuration.Options.Company, Names = VirtualCarOptions.NamesOf("demo_", DemoCars) };
        host.Services.AddVirtualCars(cars, CreateClient);
    }

    internal static void Describe(FleetServer server, string http, AddressTable table)
    {
        var options = server.Options;
        var cars = options.Cars.Count == 1 ? options.Cars[0].Name : $"{options.Cars.Count} cars, {options.Cars[0].Name} to {options.Cars[^1].Name}";
        table.Add("external server", $"company {options.Company}: {cars}", $"curl {http}/api/fleet/cars");
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="dataFolder">Where the configuration may lie.</param>
    /// <param name="isDemo">Whether there are virtual cars too.</param>
    /// <param name="hasBroker">Whether the broker of this process is used, whatever the configuration names.</param>
    internal FleetConfiguration Read(ParseResult parsed, string dataFolder, bool isDemo, bool hasBroker)
    {
        var file = parsed.GetValue(_file);
        var own = Path.Combine(dataFolder, "fleet.json");
        if (file is null && File.Exists(own)) file = own;
        if (file is null && !hasBroker)
            throw new UserErrorException($"without mqtt the external server needs {_file.Name}, a configuration that names a broker");
        IReadOnlyList<string> warnings = [];
        var options = file is null ? Standard() : FleetOptionsFile.Load(file, out warnings);
        if (hasBroker) options = options with { Broker = Embedded };
        return new FleetConfiguration(isDemo && hasBroker ? WithDemoCars(options) : options, warnings);
    }

    private static IMqttClient CreateClient(IServiceProvider services, string clientId) =>
        services.GetRequiredService<MqttBroker>().CreateClient(clientId);

    // The address is shown to people only: sessions inside the broker need none.
    private static FleetBrokerOptions Embedded => new() { Host = "embedded", Port = 0 };

    private static FleetOptions Standard() => new()
    {
        Company = Company,
        Broker = Embedded,
        Cars = [.. VirtualCarOptions.NamesOf("car_", Cars).Select(DemoCar)],
    };

    private static FleetOptions WithDemoCars(FleetOptions options)
    {
        var demo = VirtualCarOptions.NamesOf("demo_", DemoCars);
        return options with { Cars = [.. options.Cars.Where(car => !demo.Contains(car.Name)), .. demo.Select(DemoCar)] };
    }

    private static CarOptions DemoCar(string name) => new() { Name = name, Modules = [DemoModule] };
}
