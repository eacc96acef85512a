namespace Mooring.Fleet.VirtualCars;

/// <summary>What the virtual cars of a fleet have done so far.</summary>
/// <param name="Cars">Cars there are.</param>
/// <param name="Running">Cars with a session.</param>
/// <param name="Sessions">Connect sequences that were completed.</param>
/// <param name="Ended">Sessions and connect sequences that a fault or the server ended.</param>
/// <param name="StatusesSent">Statuses sent, first ones too.</param>
/// <param name="StatusesAnswered">Statuses answered.</param>
/// <param name="Commands">Commands received that say something.</param>
/// <param name="EmptyCommands">Commands received that say nothing, as first commands do.</param>
/// <param name="Median">Time from status to response that half of the statuses did not exceed.</param>
/// <param name="Percentile99">The same for 99 of 100.</param>
public sealed record VirtualFleetView(
    int Cars, int Running, long Sessions, long Ended, long StatusesSent, long StatusesAnswered, long Commands, long EmptyCommands,
    TimeSpan Median, TimeSpan Percentile99);
