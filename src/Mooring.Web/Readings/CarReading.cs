namespace Mooring.Web.Readings;

/// <summary>A car.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsEnabled">Whether it may connect.</param>
/// <param name="State">Its state.</param>
public readonly record struct CarReading(string Name, bool IsEnabled, string State)
{
    /// <summary>The session that runs.</summary>
    public string? Session { get; init; }

    /// <summary>Connected devices.</summary>
    public int Devices { get; init; }

    /// <summary>Statuses received.</summary>
    public long Statuses { get; init; }

    /// <summary>Commands sent.</summary>
    public long Commands { get; init; }

    /// <summary>Why it is in error.</summary>
    public string? Problem { get; init; }
}
