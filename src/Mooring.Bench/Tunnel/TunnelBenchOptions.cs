namespace Mooring.Bench.Tunnel;

/// <summary>What is measured of tunnels, and against what.</summary>
public sealed record TunnelBenchOptions
{
    /// <summary>All paths from the load generator to the origin.</summary>
    public static readonly IReadOnlyList<string> AllPeers = ["direct", "nginx", "ssh", "self-http", "self-tcp"];

    /// <summary>Cases that are measured only when they are named: they take a minute each and say nothing about requests.</summary>
    public static readonly IReadOnlyList<string> Cases = ["idle", "auth"];

    /// <summary>Paths and cases to measure; empty for all paths.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];

    /// <summary>This program, for the server and the client under test.</summary>
    public required string SelfProgram { get; init; }

    /// <summary>Measured seconds of each run. Default 5.</summary>
    public int Seconds { get; init; } = 5;

    /// <summary>Connections of the load generator; one run for each number.</summary>
    public IReadOnlyList<int> Connections { get; init; } = [1, 32, 256];

    /// <summary>Bytes of the response that is asked for again and again. Default 1 KiB.</summary>
    public int ResponseBytes { get; init; } = 1024;

    /// <summary>Clients of the case "idle". Default 10,000.</summary>
    public int IdleTunnels { get; init; } = 10_000;

    /// <summary>Tokens of the case "auth". Default 1,000,000.</summary>
    public int StoredTokens { get; init; } = 1_000_000;

    /// <summary>Bytes of the one stream. Default 1 GiB.</summary>
    public long StreamBytes { get; init; } = 1L << 30;
}
