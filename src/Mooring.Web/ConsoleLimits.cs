namespace Mooring.Web;

/// <summary>Bounds of the console's event stream.</summary>
public sealed record ConsoleLimits
{
    /// <summary>Streams at a time; default 1,000: a wall of screens and a room of people. Further ones are told to come back.</summary>
    public int StreamsMax { get; init; } = 1_000;

    /// <summary>Least time between two updates of a stream; default 250 ms: people see no more than four a second.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Time between two points of the plots; default 2 s, long enough for rates that do not flicker.</summary>
    public TimeSpan PlotPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Points kept of each plot; default 150, five minutes.</summary>
    public int PlotPoints { get; init; } = 150;

    /// <summary>A stream that takes no bytes for this long is cut; default 15 s. The page comes back by itself.</summary>
    public TimeSpan StalledFor { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A comment in this time keeps proxies from closing a quiet stream; default 15 s.</summary>
    public TimeSpan QuietFor { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Changes kept of each table; default 8, two seconds. Whoever is further behind gets the whole table instead.</summary>
    public int ChangesKept { get; init; } = 8;

    /// <summary>Bytes handed to a stream at a time, each piece when the one before has left; default 16 KiB: what a stalled stream can hold.</summary>
    public int PieceBytes { get; init; } = 16 * 1024;
}
