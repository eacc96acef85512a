namespace Mooring.Bench.Mqtt;

/// <summary>What <c>mooring bench mqtt</c> measures, and against what.</summary>
public sealed record MqttBenchOptions
{
    /// <summary>Name of the peer that is this product's broker, started by <see cref="SelfCommand"/>.</summary>
    public const string SelfPeer = "self";

    /// <summary>Name of the peer that is mosquitto, started with a generated configuration.</summary>
    public const string MosquittoPeer = "mosquitto";

    /// <summary>Names of all scenarios, in the order in which they run.</summary>
    public static IReadOnlyList<string> AllScenarios { get; } = [.. MqttScenario.All.Select(scenario => scenario.Name)];

    /// <summary>Scenarios to run; empty means all.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = [];

    /// <summary>
    /// Brokers to start and compare: <see cref="SelfPeer"/>, <see cref="MosquittoPeer"/>. Empty means the server at
    /// <see cref="Host"/> and <see cref="Port"/>.
    /// </summary>
    public IReadOnlyList<string> Peers { get; init; } = [];

    /// <summary>Program and arguments that start this product's broker; "{port}" is replaced by a free port of 127.0.0.1.</summary>
    public IReadOnlyList<string> SelfCommand { get; init; } = [];

    /// <summary>The mosquitto program.</summary>
    public string MosquittoPath { get; init; } = "/usr/sbin/mosquitto";

    /// <summary>Host of a running server.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port of a running server.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>Process of a running server on this machine, for its CPU time and memory.</summary>
    public int? ServerProcessId { get; init; }

    /// <summary>Measured seconds of each run.</summary>
    public int Seconds { get; init; } = 5;

    /// <summary>Seconds of load before measuring: just-in-time compilers and caches settle.</summary>
    public int WarmUpSeconds { get; init; } = 3;

    /// <summary>Payload bytes of each message.</summary>
    public int PayloadBytes { get; init; } = 100;

    /// <summary>Runs of each scenario; the table shows the median and the range.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>All faults of these options; empty when they are usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        foreach (var name in Scenarios.Where(name => !AllScenarios.Contains(name)))
            faults.Add($"scenario: '{name}' is unknown, allowed are {string.Join(", ", AllScenarios)}");
        foreach (var peer in Peers.Where(peer => peer is not (SelfPeer or MosquittoPeer)))
            faults.Add($"peer: '{peer}' is unknown, allowed are {SelfPeer}, {MosquittoPeer}");
        if (Peers.Contains(SelfPeer) && SelfCommand.Count == 0) faults.Add("peer: 'self' needs the command that starts the broker");
        if (Port is < 1 or > 65_535) faults.Add($"port: {Port} is not within 1 to 65535");
        if (Seconds is < 1 or > 3600) faults.Add($"seconds: {Seconds} is not within 1 to 3600");
        if (WarmUpSeconds is < 0 or > 600) faults.Add($"warm-up: {WarmUpSeconds} is not within 0 to 600");
        if (Runs is < 1 or > 100) faults.Add($"runs: {Runs} is not within 1 to 100");
        if (PayloadBytes is < ThroughputLimits.LeastPayloadBytes or > ThroughputLimits.MostPayloadBytes)
        {
            faults.Add($"payload: {PayloadBytes} is not within {ThroughputLimits.LeastPayloadBytes} to " +
                $"{ThroughputLimits.MostPayloadBytes} bytes");
        }
        return faults;
    }
}
