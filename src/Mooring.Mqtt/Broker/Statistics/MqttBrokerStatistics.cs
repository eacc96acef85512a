namespace Mooring.Mqtt.Broker;

/// <summary>The broker as a whole at one moment. Counts are since its start.</summary>
public sealed record MqttBrokerStatistics
{
    /// <summary>Time since the broker was made.</summary>
    public TimeSpan Uptime { get; init; }

    /// <summary>Clients connected now, without those in this process.</summary>
    public int Connections { get; init; }

    /// <summary>Clients in this process.</summary>
    public int LocalClients { get; init; }

    /// <summary>The most clients that were connected at a time.</summary>
    public int ConnectionsMost { get; init; }

    /// <summary>Connections accepted since the start.</summary>
    public long ConnectionsAccepted { get; init; }

    /// <summary>Sessions, connected or kept.</summary>
    public int Sessions { get; init; }

    /// <summary>Sessions that ended because their client did not come back.</summary>
    public long SessionsExpired { get; init; }

    /// <summary>Subscriptions of all sessions, shared ones included.</summary>
    public int Subscriptions { get; init; }

    /// <summary>Shared subscriptions of all sessions.</summary>
    public int SharedSubscriptions { get; init; }

    /// <summary>Retained messages.</summary>
    public int RetainedMessages { get; init; }

    /// <summary>Bytes of retained messages.</summary>
    public long RetainedBytes { get; init; }

    /// <summary>Packets received, of every type.</summary>
    public long PacketsReceived { get; init; }

    /// <summary>Messages (PUBLISH) received from clients.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages (PUBLISH) sent to clients.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Bytes received.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes sent.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes of payload received.</summary>
    public long PayloadBytesReceived { get; init; }

    /// <summary>Bytes of payload sent.</summary>
    public long PayloadBytesSent { get; init; }

    /// <summary>Messages dropped since the start, by reason.</summary>
    public IReadOnlyDictionary<string, long> Dropped { get; init; } = new Dictionary<string, long>();

    /// <summary>Messages received in the last second.</summary>
    public long MessagesReceivedPerSecond { get; init; }

    /// <summary>Messages sent in the last second.</summary>
    public long MessagesSentPerSecond { get; init; }
}
