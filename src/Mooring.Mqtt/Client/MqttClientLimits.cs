using Mooring.Kernel.Options;

namespace Mooring.Mqtt.Client;

/// <summary>Bounds of one client: what it holds, and what it lets a broker make it hold.</summary>
public sealed record MqttClientLimits
{
    /// <summary>Messages that wait to be sent; default 1000. Publishers wait for room beyond.</summary>
    public int QueuedMessages { get; init; } = 1000;

    /// <summary>Bytes of messages that wait to be sent; default 8 MiB. Publishers wait for room beyond.</summary>
    public long QueuedBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// QoS 1 and 2 messages sent and not acknowledged; default 256, less if the broker's Receive Maximum says so. More helps only
    /// where the round trip is long.
    /// </summary>
    public int InFlightMessages { get; init; } = 256;

    /// <summary>
    /// Of these, messages of QoS 2 where the broker cannot name a Receive Maximum, which is so in MQTT 3.1.1; default 20: mosquitto
    /// mixes up the order of what it gets beyond that.
    /// </summary>
    public int InFlightExactlyOnce { get; init; } = 20;

    /// <summary>
    /// QoS 1 and 2 messages that a 5.0 broker may send before the handlers are done with the first (Receive Maximum); default 256.
    /// </summary>
    public ushort ReceiveMaximum { get; init; } = 256;

    /// <summary>Largest packet that the broker may send, in bytes; default 1 MiB. A larger one ends the connection.</summary>
    public int MaximumPacketBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Received messages that wait for handlers; default 1024. Beyond, reading from the broker pauses for <see cref="ReadingPause"/>.
    /// </summary>
    public int ReceivedMessages { get; init; } = 1024;

    /// <summary>
    /// Bytes of received messages that wait for handlers; default 8 MiB. Beyond, reading from the broker pauses for <see
    /// cref="ReadingPause"/>.
    /// </summary>
    public long ReceivedBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// How long reading may pause for the handlers' sake; default 1 s. Then QoS 0 messages are dropped, since a handler may be waiting for
    /// an acknowledgement that stands behind them.
    /// </summary>
    public TimeSpan ReadingPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>MQTT 5.0: topic aliases that the broker may set; default 32, each holds one topic.</summary>
    public ushort InboundTopicAliases { get; init; } = 32;

    /// <summary>MQTT 5.0: topic aliases that this client sets, if the broker takes as many; default 32.</summary>
    public ushort OutboundTopicAliases { get; init; } = 32;

    /// <summary>Filters subscribed at a time; default 100,000, which is one filter for each of very many devices.</summary>
    public int Subscriptions { get; init; } = 100_000;

    /// <summary>Time from dialling to CONNACK, and again to the last SUBACK; default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for the last packet and the broker's close after it, and for a running handler to end; default 1 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(1);

    internal void Validate(OptionsErrors errors, string key)
    {
        errors.RequireInRange($"{key}.queuedMessages", QueuedMessages, 1, 10_000_000);
        errors.RequireInRange($"{key}.queuedBytes", QueuedBytes, 1024, 16L * 1024 * 1024 * 1024);
        // Packet identifiers have 16 bits, and some must stay free for SUBSCRIBE and for old ids that linger.
        errors.RequireInRange($"{key}.inFlightMessages", InFlightMessages, 1, 30_000);
        errors.RequireInRange($"{key}.inFlightExactlyOnce", InFlightExactlyOnce, 1, 30_000);
        errors.RequireInRange($"{key}.receiveMaximum", (int)ReceiveMaximum, 1, ushort.MaxValue);
        errors.RequireInRange($"{key}.maximumPacketBytes", MaximumPacketBytes, 128, 268_435_460);
        errors.RequireInRange($"{key}.receivedMessages", ReceivedMessages, 1, 10_000_000);
        errors.RequireInRange($"{key}.receivedBytes", ReceivedBytes, 1024, 16L * 1024 * 1024 * 1024);
        errors.RequireInRange($"{key}.readingPause", ReadingPause, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        errors.RequireInRange($"{key}.subscriptions", Subscriptions, 1, 10_000_000);
        errors.RequireInRange($"{key}.connectTimeout", ConnectTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        errors.RequireInRange($"{key}.closeTimeout", CloseTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }
}
