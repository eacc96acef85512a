using Mooring.Fleet.VirtualCars;

namespace Mooring.Cli.Hosting;

/// <summary>What <c>mooring car</c> was asked for, and whether it came true.</summary>
/// <param name="cars">The cars.</param>
/// <param name="broker">Where they go.</param>
/// <param name="report">Time between two lines; zero for the last one alone.</param>
/// <param name="limit">How long they drive; null until a signal.</param>
internal sealed class CarDrive(VirtualCarOptions cars, Uri broker, TimeSpan report, TimeSpan? limit)
{
    internal VirtualCarOptions Cars => cars;

    internal Uri Broker => broker;

    internal TimeSpan Report => report;

    internal TimeSpan? Limit => limit;

    /// <summary>Why the cars did not do what was asked for; null when they did.</summary>
    internal string? Failure { get; set; }
}
