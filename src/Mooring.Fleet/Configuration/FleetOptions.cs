using System.Globalization;
using Mooring.Fleet.Cars;

namespace Mooring.Fleet.Configuration;

/// <summary>How the cars reach the broker.</summary>
public enum FleetConnections
{
    /// <summary>All cars share a few connections.</summary>
    Shared,

    /// <summary>Each car has its own, as in the original: for brokers whose rules are bound to one client per car.</summary>
    PerCar,
}

/// <summary>Everything that an external server needs to know. Immutable; a reload compares two of them.</summary>
public sealed record FleetOptions
{
    private const int CarsShown = 10;

    /// <summary>First level of all topics.</summary>
    public required string Company { get; init; }

    /// <summary>Where the broker is, and who we are to it.</summary>
    public required FleetBrokerOptions Broker { get; init; }

    /// <summary>How the cars reach the broker.</summary>
    public FleetConnections Connections { get; init; }

    /// <summary>
    /// Connections that shared cars are spread over: one thread of a broker serves each, four keep two cores busy. Beyond 50 cars
    /// for each there are more.
    /// </summary>
    public int SharedConnections { get; init; } = 4;

    /// <summary>Longest wait in each step of the connect sequence, for a missing status and for a command's response.</summary>
    public TimeSpan StepTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A session without a status or command response for this long is over.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Pause after a failure: between attempts to reach the broker, and how long a car shows ERROR.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Send commands whose device belongs to another module than the one that gave them.</summary>
    public bool SendInvalidCommand { get; init; }

    /// <summary>Leave unanswered what the original left unanswered.</summary>
    public bool ReferenceAnswers { get; init; }

    /// <summary>The first status after the connect sequence defines the numbering, as in the original.</summary>
    public bool ReferenceOrder { get; init; }

    /// <summary>What happens to commands for cars without a session.</summary>
    public OfflinePolicy OfflineCommands { get; init; }

    /// <summary>Commands kept for each device under <see cref="OfflinePolicy.Keep"/>.</summary>
    public int KeptCommandsMax { get; init; } = 10;

    /// <summary>Start the other cars when a module of one car cannot be used. Otherwise nothing starts, as in the original.</summary>
    public bool StartPartially { get; init; }

    /// <summary>How commands are fetched from native modules.</summary>
    public PollingOptions Polling { get; init; } = new();

    /// <summary>What one car may use.</summary>
    public FleetLimits Limits { get; init; } = new();

    /// <summary>Where logs go.</summary>
    public FleetLoggingOptions Logging { get; init; } = new();

    /// <summary>The cars, in the order of the file.</summary>
    public IReadOnlyList<CarOptions> Cars { get; init; } = [];

    /// <summary>What the server runs with, in one line that may be logged: without credentials, and without what modules are configured with.</summary>
    /// <returns>Names and values; cars beyond the first ten are counted.</returns>
    public override string ToString()
    {
        var cars = string.Join(", ", Cars.Take(CarsShown).Select(car => $"{car.Name} ({string.Join(", ", car.Modules.Select(m => m.Number))})"));
        var more = Cars.Count > CarsShown ? string.Create(CultureInfo.InvariantCulture, $" and {Cars.Count - CarsShown} more") : "";
        var tls = Broker.Tls is null ? "no TLS" : "TLS";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"company '{Company}', broker {Broker} ({tls}), connections {Connections}, session time-out {SessionTimeout.TotalSeconds} s, step time-out {StepTimeout.TotalSeconds} s, retry after {RetryDelay.TotalSeconds} s, send invalid commands {SendInvalidCommand}, offline commands {OfflineCommands}, cars (modules): {cars}{more}");
    }

    internal CarSettings SettingsOf(CarOptions car) => new()
    {
        Company = Company,
        Name = car.Name,
        StepTimeout = StepTimeout,
        SessionTimeout = SessionTimeout,
        ErrorShown = RetryDelay,
        SendInvalidCommand = SendInvalidCommand,
        ReferenceAnswers = ReferenceAnswers,
        ReferenceOrder = ReferenceOrder,
        Offline = OfflineCommands,
        KeptCommandsMax = KeptCommandsMax,
        Limits = Limits,
    };
}
