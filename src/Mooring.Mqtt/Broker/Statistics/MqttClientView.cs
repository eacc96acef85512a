namespace Mooring.Mqtt.Broker;

/// <summary>One session, and its connection if it has one, at one moment.</summary>
/// <param name="ClientId">Client identifier.</param>
public sealed record MqttClientView(string ClientId)
{
    /// <summary>The user that it proved to be; null for an anonymous one.</summary>
    public string? UserName { get; init; }

    /// <summary>Whether it is connected; otherwise the session is kept for its return.</summary>
    public bool IsConnected { get; init; }

    /// <summary>Whether it is a part of this process.</summary>
    public bool IsLocal { get; init; }

    /// <summary>Where it comes from; null when not connected.</summary>
    public string? RemoteEndPoint { get; init; }

    /// <summary>What carries its packets; null when not connected.</summary>
    public MqttTransport? Transport { get; init; }

    /// <summary>Version of its protocol; null when not connected.</summary>
    public MqttVersion? Version { get; init; }

    /// <summary>How long it has been connected; zero when it is not.</summary>
    public TimeSpan ConnectedFor { get; init; }

    /// <summary>Keep-alive interval; zero for none.</summary>
    public TimeSpan KeepAlive { get; init; }

    /// <summary>How long its session outlives its connection.</summary>
    public TimeSpan SessionExpiry { get; init; }

    /// <summary>Its subscriptions.</summary>
    public int Subscriptions { get; init; }

    /// <summary>Messages that wait for it.</summary>
    public int Waiting { get; init; }

    /// <summary>Bytes that it has not taken yet.</summary>
    public int UnsentBytes { get; init; }

    /// <summary>Messages that it sent on this connection.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages that were sent to it on this connection.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Bytes that it sent on this connection.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes that were sent to it on this connection.</summary>
    public long BytesSent { get; init; }
}
