namespace Mooring.Bench.Edge;

/// <summary>What is measured of a hub.</summary>
public sealed record EdgeBenchOptions
{
    /// <summary>Replaced in <see cref="HubCommand"/> by the port for agents.</summary>
    public const string AgentsPort = "{port}";

    /// <summary>Replaced in <see cref="HubCommand"/> by the port for operators.</summary>
    public const string HttpPort = "{http}";

    /// <summary>How the hub is started.</summary>
    public IReadOnlyList<string> HubCommand { get; init; } = [];

    /// <summary>Connected agents, each with a certificate and a TLS connection of its own. Default 5,000.</summary>
    public int Agents { get; init; } = 5_000;

    /// <summary>Time between two heartbeats of an agent. Default 5 s, as agents have it.</summary>
    public TimeSpan BeatPeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Measured seconds. Default 20.</summary>
    public int Seconds { get; init; } = 20;

    /// <summary>Operators that ask one question after another. Default 2.</summary>
    public int Operators { get; init; } = 2;
}
