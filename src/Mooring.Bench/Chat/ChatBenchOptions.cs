namespace Mooring.Bench.Chat;

/// <summary>What <c>mooring bench chat</c> measures, and against what.</summary>
public sealed record ChatBenchOptions
{
    /// <summary>This product's line protocol.</summary>
    public const string SelfPeer = "self";

    /// <summary>This product's WebSocket.</summary>
    public const string SelfSocketPeer = "self-ws";

    /// <summary>Redis' PUBLISH and SUBSCRIBE.</summary>
    public const string RedisPeer = "redis";

    /// <summary>The IRC server ngIRCd.</summary>
    public const string NgircdPeer = "ngircd";

    // "|", eight digits of the number, and a filling.
    private const int PayloadBytesMin = 16;

    // One byte of length in the head of a WebSocket frame, and "SEND " in front.
    private const int PayloadBytesMax = 120;

    /// <summary>Names of all scenarios, in the order in which they run.</summary>
    public static IReadOnlyList<string> AllScenarios { get; } = [.. ChatScenario.All.Select(scenario => scenario.Name)];

    /// <summary>Names of all peers.</summary>
    public static IReadOnlyList<string> AllPeers { get; } = [SelfPeer, SelfSocketPeer, RedisPeer, NgircdPeer];

    /// <summary>Scenarios to run; empty means all.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = [];

    /// <summary>Servers to start and compare.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [SelfPeer];

    /// <summary>Program and arguments that start this product's chat server; "{port}" and "{http}" are replaced by free ports.</summary>
    public IReadOnlyList<string> SelfCommand { get; init; } = [];

    /// <summary>The Redis server.</summary>
    public string RedisPath { get; init; } = "/usr/bin/redis-server";

    /// <summary>The ngIRCd program.</summary>
    public string NgircdPath { get; init; } = "/usr/sbin/ngircd";

    /// <summary>Measured seconds of each run.</summary>
    public int Seconds { get; init; } = 5;

    /// <summary>Seconds of load before measuring: just-in-time compilers and caches settle.</summary>
    public int WarmUpSeconds { get; init; } = 3;

    /// <summary>Bytes of each message's text.</summary>
    public int PayloadBytes { get; init; } = 100;

    /// <summary>Messages that may be under way to each member.</summary>
    public int Window { get; init; } = 256;

    /// <summary>Runs of each scenario; the table shows the median and the range.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>All faults of these options; empty when they are usable.</summary>
    /// <returns>One line for each.</returns>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        foreach (var name in Scenarios.Where(name => !AllScenarios.Contains(name)))
            faults.Add($"scenario: '{name}' is unknown, allowed are {string.Join(", ", AllScenarios)}");
        foreach (var peer in Peers.Where(peer => !AllPeers.Contains(peer)))
            faults.Add($"peer: '{peer}' is unknown, allowed are {string.Join(", ", AllPeers)}");
        if (SelfCommand.Count == 0 && Peers.Any(peer => peer is SelfPeer or SelfSocketPeer)) faults.Add("peer: 'self' needs the command that starts it");
        if (Seconds is < 1 or > 3600) faults.Add($"seconds: {Seconds} is not within 1 to 3600");
        if (WarmUpSeconds is < 0 or > 600) faults.Add($"warm-up: {WarmUpSeconds} is not within 0 to 600");
        if (Runs is < 1 or > 100) faults.Add($"runs: {Runs} is not within 1 to 100");
        if (Window is < 1 or > 4096) faults.Add($"window: {Window} is not within 1 to 4096");
        if (PayloadBytes is < PayloadBytesMin or > PayloadBytesMax) faults.Add($"payload: {PayloadBytes} is not within {PayloadBytesMin} to {PayloadBytesMax} bytes");
        return faults;
    }
}
