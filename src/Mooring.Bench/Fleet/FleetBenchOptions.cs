namespace Mooring.Bench.Fleet;

/// <summary>What <c>mooring bench fleet</c> measures, and how the measured processes are started.</summary>
public sealed record FleetBenchOptions
{
    /// <summary>One car sends statuses as fast as ten outstanding ones allow.</summary>
    public const string WindowScenario = "window10";

    /// <summary>Many cars at a fixed rate each; time from status to response.</summary>
    public const string RateScenario = "rate";

    /// <summary>Many connected cars with one status per 15 s each: memory, threads and time to stop.</summary>
    public const string ConnectedScenario = "connected";

    /// <summary>Names of all scenarios, in the order in which they run.</summary>
    public static IReadOnlyList<string> AllScenarios { get; } = [WindowScenario, RateScenario, ConnectedScenario];

    /// <summary>Scenarios to run; empty means all.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = [];

    /// <summary>Program and arguments of the external server; "{config}" is replaced by the path of the generated configuration.</summary>
    public IReadOnlyList<string> ServerCommand { get; init; } = [];

    /// <summary>Program and arguments of the broker; "{port}" is replaced by a free port of 127.0.0.1.</summary>
    public IReadOnlyList<string> BrokerCommand { get; init; } = [];

    /// <summary>Library of the module that all cars use, or <c>builtin:NAME</c>; it must be module <see cref="ModuleNumber"/>.</summary>
    public string ModuleLibrary { get; init; } = "";

    /// <summary>Number of that module.</summary>
    public uint ModuleNumber { get; init; } = 1000;

    /// <summary>Status data that the module accepts.</summary>
    public string StatusText { get; init; } = """{"pressed": false}""";

    /// <summary>Cars of the scenario with a fixed rate.</summary>
    public int RateCars { get; init; } = 1000;

    /// <summary>Statuses per second of each of them.</summary>
    public int StatusesPerSecond { get; init; } = 10;

    /// <summary>Cars of the scenario with connected cars.</summary>
    public int ConnectedCars { get; init; } = 10_000;

    /// <summary>Measured seconds of each scenario.</summary>
    public int Seconds { get; init; } = 10;

    /// <summary>Seconds of load before measuring.</summary>
    public int WarmUpSeconds { get; init; } = 5;

    /// <summary>Runs of each scenario.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>All faults of these options; empty when they are usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        foreach (var name in Scenarios.Where(name => !AllScenarios.Contains(name)))
            faults.Add($"scenario: '{name}' is unknown, allowed are {string.Join(", ", AllScenarios)}");
        if (ServerCommand.Count == 0) faults.Add("server: the command that starts the external server is missing");
        if (BrokerCommand.Count == 0) faults.Add("broker: the command that starts the broker is missing");
        if (!ModuleLibrary.StartsWith("builtin:", StringComparison.Ordinal) && !File.Exists(ModuleLibrary)) faults.Add($"module: '{ModuleLibrary}' does not exist, it must be a module library");
        if (RateCars is < 1 or > 15_000) faults.Add($"cars: {RateCars} is not within 1 to 15000");
        if (ConnectedCars is < 1 or > 15_000) faults.Add($"connected cars: {ConnectedCars} is not within 1 to 15000");
        if (StatusesPerSecond is < 1 or > 1000) faults.Add($"rate: {StatusesPerSecond} is not within 1 to 1000");
        if (Seconds is < 1 or > 3600) faults.Add($"seconds: {Seconds} is not within 1 to 3600");
        if (WarmUpSeconds is < 0 or > 600) faults.Add($"warm-up: {WarmUpSeconds} is not within 0 to 600");
        if (Runs is < 1 or > 100) faults.Add($"runs: {Runs} is not within 1 to 100");
        return faults;
    }
}
