using System.CommandLine;
using System.Globalization;
using Mooring.Cli.Hosting;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.VirtualCars;
using Mooring.Kernel.Links;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Mqtt;
using Mooring.Mqtt.Client;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring car</c>: virtual cars.</summary>
internal sealed class CarVerb
{
    /// <summary>Cars that have a connection each unless told otherwise; beyond, a broker and this machine feel it.</summary>
    private const int OwnConnectionsMax = 100;

    private const int CarsMax = 100_000;

    private const int SecondsMax = 86_400;

    private readonly Argument<string[]> _names = new("NAME")
    {
        Description = "The cars; with --count, what the names of all begin with (car_ unless given).",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<int?> _count = new("--count") { Description = "So many cars, with a number behind the name.", HelpName = "N" };
    private readonly Option<string> _company = Value("--company", "NAME", "demo", "First level of all topics.");
    private readonly Option<string> _broker = Value(
        "--broker", "ADDRESS", "mqtt://127.0.0.1:1883", "The broker: mqtt://HOST, mqtts://HOST (TLS), ws://HOST/PATH or wss://HOST/PATH, with :PORT where needed.");

    private readonly Option<string?> _user = Optional("--user", "NAME", "User name for the broker; MOORING_MQTT_USERNAME unless given.");
    private readonly Option<string?> _passwordFile = Optional("--password-file", "FILE", "File with the password in its first line; MOORING_MQTT_PASSWORD unless given.");
    private readonly Option<string?> _authorities = Optional("--ca", "FILE", "PEM file of the authorities to trust; those of the system unless given.");
    private readonly Option<string?> _certificate = Optional("--cert", "FILE", "PEM file of a client certificate.");
    private readonly Option<string?> _key = Optional("--key", "FILE", "PEM file of its key, when that is not in the certificate's file.");
    private readonly Option<string> _devices = Value(
        "--devices", "LIST", "drive,button", "Devices of each car, with commas: drive, button or echo, and =ROLE behind it if wanted.");

    private readonly Option<int> _module = Value("--module", "N", 1000, "Number of the devices' module.");
    private readonly Option<int> _payload = Value("--payload", "BYTES", 64, "Bytes that an echo sends.");
    private readonly Option<string> _rate = Value("--rate", "N", "1", "Statuses a second of each device; 0: only those that gateways force; max: as many as are answered.");
    private readonly Option<int> _window = Value("--window", "N", 32, "Statuses of a car that may be unanswered before it waits.");
    private readonly Option<string?> _connections = Optional(
        "--connections", "per-car|shared", $"Whether each car has a connection, as real ones; per-car up to {OwnConnectionsMax} cars unless given.");

    private readonly Option<int> _sharedConnections = Value("--shared-connections", "N", 4, "Connections that shared cars are spread over.");
    private readonly Option<double> _starts = Value("--starts-per-second", "N", 500d, "Cars that are switched on in a second.");
    private readonly Option<string> _version = Value("--mqtt-version", "3.1.1|5.0", "3.1.1", "Version of MQTT; real cars speak 3.1.1.");
    private readonly Option<double> _step = Value("--step-timeout", "SECONDS", 5d, "Longest wait for each message of the connect sequence.");
    private readonly Option<double> _reconnect = Value("--reconnect-delay", "SECONDS", 10d, "Pause before the next try after a fault.");
    private readonly Option<double> _aggregation = Value("--aggregation", "SECONDS", 15d, "A device reports at least this often.");
    private readonly Option<double> _response = Value("--response-timeout", "SECONDS", 30d, "A status that is not answered within this time ends the session.");
    private readonly Option<double?> _for = new("--for")
    {
        Description = "Ends after this time; the exit code is 1 when not all cars are connected then.",
        HelpName = "SECONDS",
    };

    private readonly Option<double> _report = Value("--report", "SECONDS", 5d, "Prints a line this often; 0: only at the end.");
    private readonly Option<LogLevel> _logLevel = SharedOptions.LogLevels(LogLevel.Warning);

    private CarVerb()
    {
        _version.AcceptOnlyFromAmong("3.1.1", "5.0");
        _connections.AcceptOnlyFromAmong("per-car", "shared");
        Require(_count, count => count is >= 1 and <= CarsMax, $"1 to {CarsMax}");
        _count.Validators.Add(result =>
        {
            if (result.GetResult(_names)?.Tokens.Count > 1) result.AddError("--count takes one NAME, which is put before the numbers");
        });
        Require(_rate, rate => ParseRate(rate) is not null, "a number from 0 on, or max");
        Require(_devices, list => ParseDevices(list).All(d => d.Kind is not null), "drive, button and echo with commas, and =ROLE behind each if wanted");
        Require(_broker, address => Uri.TryCreate(address, UriKind.Absolute, out _), "an address such as mqtt://localhost:1883");
        foreach (var seconds in new[] { _step, _reconnect, _aggregation, _response, _report })
            Require(seconds, value => value is >= 0 and <= SecondsMax, $"0 to {SecondsMax} seconds");
        Require(_for, value => value is >= 0 and <= SecondsMax, $"0 to {SecondsMax} seconds");
    }

    internal static Command Create()
    {
        var verb = new CarVerb();
        var command = new Command("car", "Plays cars: to an external server, and to the broker between, they are real ones.")
        {
            verb._names, verb._count, verb._company, verb._broker, verb._user, verb._passwordFile, verb._authorities, verb._certificate, verb._key,
            verb._devices, verb._module, verb._payload, verb._rate, verb._window, verb._connections, verb._sharedConnections, verb._starts,
            verb._version, verb._step, verb._reconnect, verb._aggregation, verb._response, verb._for, verb._report, verb._logLevel,
        };
        command.SetAction(verb.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (cars, client) = Read(parsed);
        var drive = new CarDrive(cars, client.Server, Seconds(parsed.GetValue(_report)), parsed.GetValue(_for) is { } limit ? Seconds(limit) : null);
        var host = MooringHost.Create(parsed.GetValue(_logLevel));
        host.Services.AddVirtualCars(cars, (services, id) => new MqttClient(
            client with { ClientId = id }, services.GetRequiredService<ILogger<MqttClient>>(), services.GetRequiredService<TimeProvider>()));
        host.Services.AddHostedService(services => new CarReport(
            drive, services.GetRequiredService<VirtualFleet>(), services.GetRequiredService<IHostApplicationLifetime>(),
            services.GetRequiredService<TimeProvider>()));
        var code = await host.RunWithoutHttpAsync(cancellationToken);
        return drive.Failure is { } failure ? throw new UserErrorException(failure) : code;
    }

    /// <summary>Reads and checks everything; all that is wrong is told at once.</summary>
    private (VirtualCarOptions Cars, MqttClientOptions Client) Read(ParseResult parsed)
    {
        var names = Names(parsed);
        var connections = parsed.GetValue(_connections) ?? (names.Count > OwnConnectionsMax ? "shared" : "per-car");
        var cars = new VirtualCarOptions
        {
            Company = parsed.GetValue(_company)!,
            Names = names,
            Devices = Devices(parsed),
            StatusesPerSecond = ParseRate(parsed.GetValue(_rate)!)!.Value,
            Window = parsed.GetValue(_window),
            Connections = connections == "shared" ? FleetConnections.Shared : FleetConnections.PerCar,
            SharedConnections = parsed.GetValue(_sharedConnections),
            StartsPerSecond = parsed.GetValue(_starts),
            Timings = new GatewayTimings
            {
                Step = Seconds(parsed.GetValue(_step)),
                ReconnectDelay = Seconds(parsed.GetValue(_reconnect)),
                Aggregation = Seconds(parsed.GetValue(_aggregation)),
                StatusResponse = Seconds(parsed.GetValue(_response)),
            },
        };
        var client = ReadClient(parsed, cars.Timings.ReconnectDelay);
        var errors = new OptionsErrors();
        cars.Validate(errors);
        client.Validate(errors);
        errors.ThrowIfAny("");
        return (cars, client);
    }

    private MqttClientOptions ReadClient(ParseResult parsed, TimeSpan reconnectDelay)
    {
        var user = parsed.GetValue(_user) ?? Environment.GetEnvironmentVariable("MOORING_MQTT_USERNAME");
        var password = parsed.GetValue(_passwordFile) is { } file
            ? File.ReadLines(file).FirstOrDefault() ?? ""
            : Environment.GetEnvironmentVariable("MOORING_MQTT_PASSWORD");
        var (authorities, certificate, key) = (parsed.GetValue(_authorities), parsed.GetValue(_certificate), parsed.GetValue(_key));
        return new MqttClientOptions
        {
            Server = new Uri(parsed.GetValue(_broker)!),
            Version = parsed.GetValue(_version) == "5.0" ? MqttVersion.V500 : MqttVersion.V311,
            Credentials = user is null && password is null ? null : new MqttCredentials(user, password),
            Tls = authorities is null && certificate is null && key is null
                ? null
                : new TlsFiles { Authorities = authorities, Certificate = certificate, Key = key },
            KeepAlive = TimeSpan.FromSeconds(15),
            Backoff = BackoffPolicy.Default with { Cap = reconnectDelay > TimeSpan.FromSeconds(1) ? reconnectDelay : TimeSpan.FromSeconds(1) },
        };
    }

    private IReadOnlyList<string> Names(ParseResult parsed)
    {
        var names = parsed.GetValue(_names) ?? [];
        if (parsed.GetValue(_count) is { } count) return VirtualCarOptions.NamesOf(names is [var prefix] ? prefix : "car_", count);
        return names.Length > 0 ? names : ["car_1"];
    }

    private IReadOnlyList<VirtualDeviceOptions> Devices(ParseResult parsed)
    {
        var devices = new List<VirtualDeviceOptions>();
        foreach (var (kind, role) in ParseDevices(parsed.GetValue(_devices)!))
        {
            // The second echo of a car is echo_2.
            var same = devices.Count(d => d.Kind == kind!.Value) + 1;
            var standard = kind!.Value.ToString().ToLowerInvariant() + (same == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"_{same}"));
            devices.Add(new VirtualDeviceOptions(kind.Value, role ?? standard)
            {
                Module = parsed.GetValue(_module),
                PayloadBytes = parsed.GetValue(_payload),
            });
        }
        return devices;
    }

    /// <summary>What a parser of numbers lets through; everything else is the options' own to judge.</summary>
    private static void Require<T>(Option<T> option, Func<T, bool> isAllowed, string rule) => option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<T>() is { } value && !isAllowed(value))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name}: '{value}' is not allowed: {rule}"));
    });

    private static IEnumerable<(VirtualDeviceKind? Kind, string? Role)> ParseDevices(string list)
    {
        foreach (var item in list.Split(',', StringSplitOptions.TrimEntries))
        {
            var parts = item.Split('=', 2);
            VirtualDeviceKind? kind = parts[0] switch
            {
                "drive" => VirtualDeviceKind.Drive,
                "button" => VirtualDeviceKind.Button,
                "echo" => VirtualDeviceKind.Echo,
                _ => null,
            };
            yield return (kind, parts.Length == 2 ? parts[1] : null);
        }
    }

    private static double? ParseRate(string text) => text == "max"
        ? double.PositiveInfinity
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && rate is >= 0 and <= 1e6 ? rate : null;

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static Option<T> Value<T>(string name, string what, T standard, string description) =>
        new(name) { Description = description, HelpName = what, DefaultValueFactory = _ => standard };

    private static Option<string?> Optional(string name, string what, string description) => new(name) { Description = description, HelpName = what };
}
