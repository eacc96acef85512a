namespace Mooring.Fleet.VirtualCars;

/// <summary>What the virtual cars of a fleet have done up to a moment.</summary>
public sealed record VirtualFleetView
{
    /// <summary>Cars there are.</summary>
    public required int Cars { get; init; }

    /// <summary>Cars with a session.</summary>
    public required int Running { get; init; }

    /// <summary>Connect sequences that were completed.</summary>
    public required long Sessions { get; init; }

    /// <summary>Sessions and connect sequences that a fault or the server ended.</summary>
    public required long Ended { get; init; }

    /// <summary>Statuses sent, first ones too.</summary>
    public required long StatusesSent { get; init; }

    /// <summary>Statuses answered.</summary>
    public required long StatusesAnswered { get; init; }

    /// <summary>Commands received that say something.</summary>
    public required long Commands { get; init; }

    /// <summary>Commands received that say nothing, as first commands do.</summary>
    public required long EmptyCommands { get; init; }

    internal long[] RoundTripCounts { get; init; } = [];

    /// <summary>The time from status to response that a share of the statuses did not exceed, to about 6 %.</summary>
    /// <param name="share">For example 0.5 for the median, 0.99 for 99 of 100.</param>
    /// <param name="since">An earlier view, to leave out what was answered before it.</param>
    /// <returns>Zero when nothing was answered.</returns>
    public TimeSpan RoundTrip(double share, VirtualFleetView? since = null) =>
        RoundTripTimes.Percentile(share, RoundTripCounts, since?.RoundTripCounts);
}
