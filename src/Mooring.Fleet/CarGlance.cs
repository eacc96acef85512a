using Mooring.Fleet.Cars;

namespace Mooring.Fleet;

/// <summary>A car at one moment, small enough to be asked for ten thousand of them several times a second.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsEnabled">Whether it may connect.</param>
/// <param name="State">Its state.</param>
public readonly record struct CarGlance(string Name, bool IsEnabled, CarState State)
{
    /// <summary>The session that runs; null when none does.</summary>
    public string? Session { get; init; }

    /// <summary>Connected devices.</summary>
    public int Devices { get; init; }

    /// <summary>Statuses received since the car was enabled.</summary>
    public long Statuses { get; init; }

    /// <summary>Commands sent since the car was enabled.</summary>
    public long Commands { get; init; }

    /// <summary>Why it is in error; null while it is not.</summary>
    public string? Problem { get; init; }
}
