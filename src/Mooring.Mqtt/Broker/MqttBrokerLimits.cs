using Mooring.Kernel.Options;

namespace Mooring.Mqtt.Broker;

/// <summary>Bounds of the broker: what a single client, and all of them together, can make it hold.</summary>
public sealed record MqttBrokerLimits
{
    /// <summary>Time from accept to CONNECT; default 10 s, so that silent sockets do not pile up.</summary>
    public TimeSpan ConnectDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest CONNECT in bytes; default 128 KiB, room for a will, and all that a stranger can make the broker buffer.</summary>
    public int FirstPacketBytes { get; init; } = 128 * 1024;

    /// <summary>Password checks that run at a time, each on a core of its own for some 100 ms; default half of the cores.</summary>
    public int PasswordChecks { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Password checks that wait; default 1000, further clients are told that the server is busy.</summary>
    public int PasswordChecksWaiting { get; init; } = 1000;

    /// <summary>Users whose right password is recognised without the slow check when they come back; default 100,000.</summary>
    public int RecognisedPasswords { get; init; } = 100_000;

    /// <summary>
    /// Wrong passwords from one address in a minute, beyond which it is refused without a check for the rest of that minute, but for
    /// users whose password is recognised; default 30, 0 for no limit.
    /// </summary>
    public int FailedLoginsPerMinute { get; init; } = 30;

    /// <summary>Largest packet in bytes; default 1 MiB.</summary>
    public int MaximumPacketBytes { get; init; } = 1024 * 1024;

    /// <summary>Longest client identifier in bytes; default 256.</summary>
    public int ClientIdBytes { get; init; } = 256;

    /// <summary>Longest topic name or filter in bytes; default 1024.</summary>
    public int TopicBytes { get; init; } = 1024;

    /// <summary>Most levels of a topic name or filter; default 128, which bounds the work of one match.</summary>
    public int TopicLevels { get; init; } = 128;

    /// <summary>QoS 1 and 2 publishes that a client may have unacknowledged (Receive Maximum); default 256.</summary>
    public ushort InboundReceiveMaximum { get; init; } = 256;

    /// <summary>QoS 1 and 2 messages in flight to a client that names no Receive Maximum; default 64.</summary>
    public ushort OutboundWindow { get; init; } = 64;

    /// <summary>The most that a client's own Receive Maximum can raise that window to; default 1024, to bound what one client holds.</summary>
    public ushort OutboundWindowMaximum { get; init; } = 1024;

    /// <summary>QoS 1 and 2 messages waiting in one session; default 1000, the oldest is dropped beyond.</summary>
    public int QueuedMessages { get; init; } = 1000;

    /// <summary>
    /// How long a connected client whose queue is three quarters full may have its publishers wait, in one stretch and with ten times as
    /// long until the next; whole seconds, zero for never. Default 1 s, which lets a burst through to a client that works, and leaves the publishers of
    /// one that does not nine tenths of their speed.
    /// </summary>
    public TimeSpan PublisherHold { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of messages waiting in one session; default 8 MiB.</summary>
    public long QueuedBytes { get; init; } = 8L * 1024 * 1024;

    /// <summary>
    /// Bytes of messages waiting in all sessions; default 1 GiB. Beyond, a session keeps no more than an equal share of it, so that those
    /// with long queues give way.
    /// </summary>
    public long QueuedBytesTotal { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Unsent bytes of one connection beyond which QoS 0 messages to it are dropped and others wait; default 256 KiB.</summary>
    public int OutboundBufferBytes { get; init; } = 256 * 1024;

    /// <summary>A connection that takes no bytes for this long while some wait is closed; default 30 s.</summary>
    public TimeSpan StalledFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Subscriptions of one session; default 1000.</summary>
    public int SubscriptionsPerSession { get; init; } = 1000;

    /// <summary>Subscriptions of all sessions; default 2,000,000.</summary>
    public int Subscriptions { get; init; } = 2_000_000;

    /// <summary>Filters in one SUBSCRIBE or UNSUBSCRIBE; default 1000, which bounds the work of one packet.</summary>
    public int FiltersPerPacket { get; init; } = 1000;

    /// <summary>Topic aliases that a client may set; default 32.</summary>
    public ushort InboundTopicAliases { get; init; } = 32;

    /// <summary>Topic aliases that the broker sets for a client that takes them; default 32.</summary>
    public ushort OutboundTopicAliases { get; init; } = 32;

    /// <summary>
    /// Longest keep-alive in seconds; default 65,535, which allows all, and none at all. A 5.0 client with a longer one, or none, is told
    /// to use this; a 3.1.1 client cannot be told and is refused.
    /// </summary>
    public ushort KeepAliveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>Messages of one client in a second, beyond which it is not read until the next; default 0, no limit.</summary>
    public int MessagesPerSecond { get; init; }

    /// <summary>Wills of lost clients that wait to be published; default 100,000. Beyond, closing connections is slowed down.</summary>
    public int WaitingWills { get; init; } = 100_000;

    /// <summary>Sessions in the broker, connected or kept; default 200,000, CONNECT is refused as busy beyond.</summary>
    public int Sessions { get; init; } = 200_000;

    /// <summary>Longest life of a disconnected session; default two hours, also for 3.1.1 clients, whose standard names none.</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromHours(2);

    /// <summary>
    /// Connections of one address; default 0, no limit, for many clients may share one. They are closed at once beyond.
    /// </summary>
    public int ConnectionsPerAddress { get; init; }

    /// <summary>
    /// Bytes of managed memory of the process beyond which clients that publish are read slowly, a message a second, and new ones are told
    /// that the server is busy; default 80 % of the memory that the process may use.
    /// </summary>
    public long MemoryBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 5 * 4;

    /// <summary>Retained messages; default 100,000.</summary>
    public int RetainedMessages { get; init; } = 100_000;

    /// <summary>Bytes of retained messages; default 256 MiB.</summary>
    public long RetainedBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Topics whose subscribers are remembered between publishes; default 100,000.</summary>
    public int CachedRoutes { get; init; } = 100_000;

    /// <summary>
    /// Messages waiting for the handlers of one in-process client; default 65,536. Further ones are dropped and counted, of any QoS; publishers
    /// in the process that are not handlers themselves wait at half of it.
    /// </summary>
    public int LocalQueuedMessages { get; init; } = 64 * 1024;

    /// <summary>The same in bytes; default 64 MiB.</summary>
    public long LocalQueuedBytes { get; init; } = 64L * 1024 * 1024;

    internal void Validate(OptionsErrors errors, string key)
    {
        errors.RequireInRange(key + ".connectDeadline", ConnectDeadline, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        errors.RequireInRange(key + ".firstPacketBytes", FirstPacketBytes, 256, 268_435_460);
        errors.RequireInRange(key + ".passwordChecks", PasswordChecks, 1, 256);
        errors.RequireInRange(key + ".passwordChecksWaiting", PasswordChecksWaiting, 1, 1_000_000);
        errors.RequireInRange(key + ".recognisedPasswords", RecognisedPasswords, 1, 10_000_000);
        errors.RequireInRange(key + ".failedLoginsPerMinute", FailedLoginsPerMinute, 0, int.MaxValue);
        errors.RequireInRange(key + ".maximumPacketBytes", MaximumPacketBytes, 256, 268_435_460);
        errors.RequireInRange(key + ".clientIdBytes", ClientIdBytes, 23, ushort.MaxValue);
        errors.RequireInRange(key + ".topicBytes", TopicBytes, 16, ushort.MaxValue);
        errors.RequireInRange(key + ".topicLevels", TopicLevels, 2, 1024);
        errors.RequireInRange(key + ".inboundReceiveMaximum", InboundReceiveMaximum, (ushort)1, ushort.MaxValue);
        errors.RequireInRange(key + ".outboundWindow", OutboundWindow, (ushort)1, ushort.MaxValue);
        errors.RequireInRange(key + ".outboundWindowMaximum", OutboundWindowMaximum, (ushort)1, ushort.MaxValue);
        errors.RequireInRange(key + ".queuedMessages", QueuedMessages, 1, 10_000_000);
        errors.RequireInRange(key + ".queuedBytes", QueuedBytes, 1024, 1L << 40);
        errors.RequireInRange(key + ".queuedBytesTotal", QueuedBytesTotal, 1024, 1L << 50);
        errors.RequireInRange(key + ".outboundBufferBytes", OutboundBufferBytes, 4096, 1 << 30);
        errors.RequireInRange(key + ".publisherHold", PublisherHold, TimeSpan.Zero, TimeSpan.FromHours(1));
        errors.RequireInRange(key + ".stalledFor", StalledFor, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        errors.RequireInRange(key + ".subscriptionsPerSession", SubscriptionsPerSession, 1, 10_000_000);
        errors.RequireInRange(key + ".subscriptions", Subscriptions, 1, int.MaxValue);
        errors.RequireInRange(key + ".filtersPerPacket", FiltersPerPacket, 1, int.MaxValue);
        errors.RequireInRange(key + ".keepAliveMaximum", KeepAliveMaximum, (ushort)1, ushort.MaxValue);
        errors.RequireInRange(key + ".messagesPerSecond", MessagesPerSecond, 0, int.MaxValue);
        errors.RequireInRange(key + ".waitingWills", WaitingWills, 0, 10_000_000);
        errors.RequireInRange(key + ".sessions", Sessions, 1, 10_000_000);
        errors.RequireInRange(key + ".sessionExpiry", SessionExpiry, TimeSpan.Zero, TimeSpan.FromDays(3650));
        errors.RequireInRange(key + ".connectionsPerAddress", ConnectionsPerAddress, 0, int.MaxValue);
        errors.RequireInRange(key + ".memoryBytes", MemoryBytes, 1024 * 1024, long.MaxValue);
        errors.RequireInRange(key + ".retainedMessages", RetainedMessages, 0, 100_000_000);
        errors.RequireInRange(key + ".retainedBytes", RetainedBytes, 0, 1L << 40);
        errors.RequireInRange(key + ".cachedRoutes", CachedRoutes, 1, 10_000_000);
        errors.RequireInRange(key + ".localQueuedMessages", LocalQueuedMessages, 16, 10_000_000);
        errors.RequireInRange(key + ".localQueuedBytes", LocalQueuedBytes, 1024, 1L << 40);
    }
}
