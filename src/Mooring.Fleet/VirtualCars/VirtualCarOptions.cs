using System.Text.RegularExpressions;
using Mooring.Fleet.Configuration;
using Mooring.Kernel.Options;

namespace Mooring.Fleet.VirtualCars;

/// <summary>Which cars are played, and how. Immutable; use <c>with</c> for a variant.</summary>
public sealed partial record VirtualCarOptions
{
    /// <summary>First level of all topics.</summary>
    public required string Company { get; init; }

    /// <summary>The cars.</summary>
    public IReadOnlyList<string> Names { get; init; } = ["car1"];

    /// <summary>The devices of each car.</summary>
    public IReadOnlyList<VirtualDeviceOptions> Devices { get; init; } =
        [new(VirtualDeviceKind.Drive, "drive"), new(VirtualDeviceKind.Button, "button")];

    /// <summary>
    /// Statuses a second of each device. 0: only those that a gateway forces now and then. Infinite: as many as are answered.
    /// </summary>
    public double StatusesPerSecond { get; init; } = 1;

    /// <summary>Statuses of a car that may be without an answer; the next ones wait. 32 keep a car busy over any network.</summary>
    public int Window { get; init; } = 32;

    /// <summary>Commands that a car keeps for each device until its next status, as a real gateway; the oldest goes first.</summary>
    public int CommandsKept { get; init; } = 3;

    /// <summary>Whether the cars share connections to the broker; each with its own is what real cars do.</summary>
    public FleetConnections Connections { get; init; }

    /// <summary>Connections that shared cars are spread over.</summary>
    public int SharedConnections { get; init; } = 4;

    /// <summary>Cars that are switched on in a second, so that thousands do not knock in the same instant.</summary>
    public double StartsPerSecond { get; init; } = 500;

    /// <summary>Times that each car keeps.</summary>
    public GatewayTimings Timings { get; init; } = new();

    /// <summary>Names for many cars: <c>bus1</c>, <c>bus2</c> and so on.</summary>
    /// <param name="prefix">What they begin with.</param>
    /// <param name="count">How many.</param>
    public static IReadOnlyList<string> NamesOf(string prefix, int count) => [.. Enumerable.Range(1, count).Select(i => $"{prefix}{i}")];

    /// <summary>Adds all that is wrong with these options to <paramref name="errors"/>.</summary>
    /// <param name="errors">Where to add.</param>
    public void Validate(OptionsErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        const string NameRule = "use lower-case letters, digits and _";
        errors.Require(Name().IsMatch(Company), "company", Company, NameRule);
        errors.Require(Names.Count > 0, "names", "", "name at least one car");
        foreach (var name in Names) errors.Require(Name().IsMatch(name), "names", name, NameRule);
        foreach (var twice in Names.GroupBy(n => n).Where(g => g.Count() > 1)) errors.Add("names", twice.Key, "name each car once");
        ValidateDevices(errors);
        errors.Require(StatusesPerSecond >= 0, "statusesPerSecond", StatusesPerSecond, "use 0 or more");
        errors.RequireInRange("window", Window, 1, 10_000);
        errors.RequireInRange("commandsKept", CommandsKept, 1, 1000);
        errors.RequireInRange("sharedConnections", SharedConnections, 1, 1000);
        errors.Require(StartsPerSecond > 0, "startsPerSecond", StartsPerSecond, "use more than 0");
        Timings.Validate(errors);
    }

    private void ValidateDevices(OptionsErrors errors)
    {
        errors.Require(Devices.Count is > 0 and <= 1000, "devices", Devices.Count, "use 1 to 1000 devices");
        for (var i = 0; i < Devices.Count; i++) Devices[i].Validate(errors, $"devices[{i}]");
        foreach (var twice in Devices.GroupBy(d => (d.Module, d.Kind, d.Role)).Where(g => g.Count() > 1))
            errors.Add("devices", twice.Key.Role, "give each device of a module and kind a role of its own");
    }

    [GeneratedRegex("^[a-z0-9_]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
