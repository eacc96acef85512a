namespace Mooring.Bench.Mqtt;

/// <summary>What a scenario measures.</summary>
internal enum MqttScenarioKind
{
    /// <summary>Sustainable deliveries per second in a closed loop.</summary>
    Throughput,

    /// <summary>Time of request and echo at a fixed rate.</summary>
    RoundTrip,

    /// <summary>Connect rate and memory of connections that do nothing but ping.</summary>
    Idle,
}

/// <summary>A named load.</summary>
/// <param name="Name">As given on the command line.</param>
/// <param name="Kind">What is measured.</param>
/// <param name="QualityOfService">0 or 1, for publishing and subscribing.</param>
internal sealed record MqttScenario(string Name, MqttScenarioKind Kind, int QualityOfService)
{
    internal int Publishers { get; init; } = 1;

    internal int Subscribers { get; init; } = 1;

    /// <summary>Publisher i writes to a topic of its own that subscriber i alone reads.</summary>
    internal bool InPairs { get; init; }

    /// <summary>PUBLISH packets per write.</summary>
    internal int Batch { get; init; } = 1;

    /// <summary>Messages of one publisher that may be undelivered: keeps every queue of a broker below its usual 1,000.</summary>
    internal int Window { get; init; } = 8;

    /// <summary>Connections, each with one subscription, that stay idle beside the load.</summary>
    internal int IdleConnections { get; init; }

    /// <summary>Deliveries that one message causes.</summary>
    internal int FanOut => InPairs ? 1 : Subscribers;

    internal static IReadOnlyList<MqttScenario> All { get; } =
    [
        new("fanin-q0", MqttScenarioKind.Throughput, 0) { Publishers = 100 },
        new("fanin-q0-batch20", MqttScenarioKind.Throughput, 0) { Publishers = 20, Batch = 20, Window = 40 },
        new("fanin-q1", MqttScenarioKind.Throughput, 1) { Publishers = 100 },
        new("fanout100-q0", MqttScenarioKind.Throughput, 0) { Subscribers = 100, Window = 64 },
        new("fanout100-q1", MqttScenarioKind.Throughput, 1) { Subscribers = 100, Window = 64 },
        new("fanout1000-q0", MqttScenarioKind.Throughput, 0) { Subscribers = 1000, Window = 32 },
        new("pairs100-q0", MqttScenarioKind.Throughput, 0) { Publishers = 100, Subscribers = 100, InPairs = true },
        new("pairs100-q1", MqttScenarioKind.Throughput, 1) { Publishers = 100, Subscribers = 100, InPairs = true },
        new("pairs100-q1-bg5000", MqttScenarioKind.Throughput, 1)
            { Publishers = 100, Subscribers = 100, InPairs = true, IdleConnections = 5000 },
        new("rtt500-q0", MqttScenarioKind.RoundTrip, 0),
        new("rtt500-q1", MqttScenarioKind.RoundTrip, 1),
        new("idle10000-sub", MqttScenarioKind.Idle, 1) { IdleConnections = 10_000 },
    ];
}
