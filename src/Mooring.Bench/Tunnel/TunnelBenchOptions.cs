namespace Mooring.Bench.Tunnel;

/// <summary>What is measured of tunnels, and against what.</summary>
public sealed record TunnelBenchOptions
{
    /// <summary>All paths from the load generator to the origin.</summary>
    public static readonly IReadOnlyList<string> AllPeers = ["direct", "nginx", "ssh", "self-http", "self-tcp"];

    /// <summary>Paths to measure; empty for all.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];

    /// <summary>This program, for the server and the client under test.</summary>
    public required string SelfProgram { get; init; }

    /// <summary>Measured seconds of each run. Default 5.</summary>
    public int Seconds { get; init; } = 5;

    /// <summary>Connections of the load generator; one run for each number.</summary>
    public IReadOnlyList<int> Connections { get; init; } = [1, 32, 256];

    /// <summary>Bytes of the response that is asked for again and again. Default 1 KiB.</summary>
    public int ResponseBytes { get; init; } = 1024;

    /// <summary>Bytes of the one stream. Default 1 GiB.</summary>
    public long StreamBytes { get; init; } = 1L << 30;
}
