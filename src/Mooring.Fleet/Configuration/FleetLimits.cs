namespace Mooring.Fleet.Configuration;

/// <summary>What one car may use, so that no car takes the others' share.</summary>
public sealed record FleetLimits
{
    /// <summary>Largest message of a car; statuses are small, 1 MiB leaves room for pictures.</summary>
    public int MessageBytes { get; init; } = 1 << 20;

    /// <summary>Messages a second over a longer time, with as many at once. A car of ten devices sends some hundred.</summary>
    public int MessagesPerSecond { get; init; } = 50_000;

    /// <summary>Messages of a car that wait to be handled; further ones are dropped and counted.</summary>
    public int MailboxMessages { get; init; } = 1024;

    /// <summary>How many numbers a status may be ahead: a gateway has 30 s to fill a gap.</summary>
    public int StatusWindow { get; init; } = 1000;

    /// <summary>Devices of a car. Gateways have tens.</summary>
    public int Devices { get; init; } = 1000;

    /// <summary>Commands that wait for a session or for a response: bounds what a chatty module can pile up.</summary>
    public int Commands { get; init; } = 1000;

    /// <summary>Ended sessions that the history of a car keeps.</summary>
    public int History { get; init; } = 16;
}
