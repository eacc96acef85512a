using Mooring.Kernel.Options;

namespace Mooring.Fleet.VirtualCars;

/// <summary>The times that a Module Gateway keeps. The defaults are a real one's.</summary>
public sealed record GatewayTimings
{
    /// <summary>Longest wait for each message of the connect sequence.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause before the next connect sequence after a fault.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A device whose status does not change reports after this time all the same.</summary>
    public TimeSpan Aggregation { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A status that is not answered within this time ends the session.</summary>
    public TimeSpan StatusResponse { get; init; } = TimeSpan.FromSeconds(30);

    internal void Validate(OptionsErrors errors)
    {
        var (min, max) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1));
        errors.RequireInRange("timings.step", Step, min, max);
        errors.RequireInRange("timings.reconnectDelay", ReconnectDelay, TimeSpan.Zero, max);
        errors.RequireInRange("timings.aggregation", Aggregation, min, max);
        errors.RequireInRange("timings.statusResponse", StatusResponse, min, max);
    }
}
