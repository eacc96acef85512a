using Mooring.Kernel.Options;

namespace Mooring.Chat.Configuration;

/// <summary>What clients may use up, each with a default and a reason.</summary>
public sealed record ChatLimits
{
    /// <summary>Sessions of all transports together. Default 100, as the classic server; raise it freely.</summary>
    public int ClientsMax { get; init; } = 100;

    /// <summary>Unicode scalars of a message. Default 255, as the classic server.</summary>
    public int MessageScalarsMax { get; init; } = 255;

    /// <summary>Bytes of a line of input; 0 for four bytes a scalar and 512 for command and names, at least 1024.</summary>
    public int LineBytes { get; init; }

    /// <summary>Rooms. Default 1000: a person still finds one in a list.</summary>
    public int RoomsMax { get; init; } = 1000;

    /// <summary>Rooms of one client. Default 100: a listing of them still fits a screen.</summary>
    public int RoomsPerClientMax { get; init; } = 100;

    /// <summary>Members of a room; 0 for no limit but <see cref="ClientsMax"/>.</summary>
    public int RoomMembersMax { get; init; }

    /// <summary>Members up to which joins and leaves are announced. Default 100: the traffic grows with the square.</summary>
    public int AnnounceMembersMax { get; init; } = 100;

    /// <summary>Seconds that an empty room stays; 0 for ever. Default an hour: its history is worth a lunch break.</summary>
    public int RoomIdleSeconds { get; init; } = 3600;

    /// <summary>Bytes that may wait for one member. Default 1 MiB: ten thousand short messages.</summary>
    public int SendQueueBytes { get; init; } = 1024 * 1024;

    /// <summary>Messages that may wait for one member that takes nothing; 0 (default) for no limit but that of the bytes, which bounds the memory.</summary>
    public int SendQueueMessages { get; init; }

    /// <summary>A member whose transport takes nothing for so long is slow. Default 10 s.</summary>
    public TimeSpan WriteDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time from connect to HELLO, JOIN or NEW. Default 30 s: a person types.</summary>
    public TimeSpan RegisterTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time without a command after which a client is closed; zero (default) for never: readers need not send.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.Zero;

    /// <summary>Errors in a row after which a client is closed. Default 10: a person mistypes, a broken program does not stop.</summary>
    public int ProtocolErrorsMax { get; init; } = 10;

    /// <summary>Connections of one address; 0 (default) for no limit, since a proxy makes all come from one.</summary>
    public int ConnectionsPerAddress { get; init; }

    /// <summary>New connections a second of one address; 0 (default) for no limit, for the same reason.</summary>
    public int ConnectionRatePerAddress { get; init; }

    /// <summary>Messages a second of one client; 0 (default) for no limit.</summary>
    public double Rate { get; init; }

    /// <summary>Messages that may come at once where a rate is set. Default 20: someone pastes a few lines.</summary>
    public int RateBurst { get; init; } = 20;

    /// <summary>Seconds for which a client is not heard that goes on after it was refused as often as a burst has messages; 0 (default) for none.</summary>
    public int FloodMuteSeconds { get; init; }

    /// <summary>Messages a second in one room; 0 (default) for no limit.</summary>
    public double RoomRate { get; init; }

    /// <summary>Messages kept for each room. Default 100.</summary>
    public int HistorySize { get; init; } = 100;

    /// <summary>Seconds that a message is kept; 0 for ever. Default an hour.</summary>
    public int HistorySeconds { get; init; } = 3600;

    /// <summary>Messages that wait in a REST mailbox. Default 1000.</summary>
    public int MailboxMessages { get; init; } = 1000;

    /// <summary>Time without a call after which a mailbox ends. Default 120 s: twice the longest poll.</summary>
    public TimeSpan MailboxTime { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Direct messages kept for one client that is suspended or away; 0 (default) for none, since its sender is told then.</summary>
    public int DirectQueue { get; init; }

    /// <summary>Seconds that such a message is kept. Default a day: who has been away for longer reads old news.</summary>
    public int DirectQueueSeconds { get; init; } = 86_400;

    /// <summary>Bytes of a request body. Default 64 KiB.</summary>
    public int HttpBodyBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of a WebSocket frame from a client. Default 64 KiB.</summary>
    public int WebSocketFrameBytes { get; init; } = 64 * 1024;

    /// <summary>Time in which a closing session may still be flushed. Default 5 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes in a REST mailbox: 256 KiB are some hundred long messages.</summary>
    internal const int MailboxBytes = 256 * 1024;

    /// <summary>Targets of one direct message.</summary>
    internal const int DirectTargetsMax = 20;

    /// <summary>Wrong tokens and passwords of one address in a minute: a person who mistypes needs fewer, a guesser more.</summary>
    internal const int FailedAttemptsMax = 20;

    /// <summary>Addresses whose connections and failures are counted at a time.</summary>
    internal const int RatedAddressesMax = 10_000;

    /// <summary>Clients for which direct messages may wait at a time; the longest away give way.</summary>
    internal const int DirectQueuesMax = 10_000;

    /// <summary>Clients that have gone and can still be asked for.</summary>
    internal const int DepartedMax = 1024;

    /// <summary>Time for which they can.</summary>
    internal static readonly TimeSpan DepartedTime = TimeSpan.FromSeconds(60);

    /// <summary>Ids that one session may block.</summary>
    internal const int BlockedMax = 256;

    /// <summary>Entries of a room's ban list and of its mute list.</summary>
    internal const int SanctionsMax = 1024;

    /// <summary>Input without any line end after which a client is closed.</summary>
    internal const int EndlessInputBytes = 64 * 1024;

    private const int LineBytesMin = 1024;
    private const int BytesPerScalar = 4;
    private const int CommandBytes = 512;

    /// <summary>Bytes of the longest line of input.</summary>
    internal int EffectiveLineBytes => LineBytes > 0 ? LineBytes : Math.Max(LineBytesMin, MessageScalarsMax * BytesPerScalar + CommandBytes);

    /// <summary>The bounds of a member's queue in words.</summary>
    internal string DescribeQueue() => SendQueueMessages > 0 ? $"{SendQueueBytes} bytes or {SendQueueMessages} messages" : $"{SendQueueBytes} bytes";

    internal void Validate(OptionsErrors errors)
    {
        errors.RequireInRange("max_clients", ClientsMax, 1, 10_000_000);
        errors.RequireInRange("max_message_length", MessageScalarsMax, 1, 1024 * 1024);
        errors.Require(LineBytes == 0 || LineBytes >= LineBytesMin, "max_line_bytes", LineBytes, "use 0, or 1024 and more");
        errors.RequireInRange("max_rooms", RoomsMax, 1, 10_000_000);
        errors.RequireInRange("max_rooms_per_client", RoomsPerClientMax, 1, 100_000);
        errors.RequireInRange("max_room_members", RoomMembersMax, 0, 10_000_000);
        errors.RequireInRange("announce_max_members", AnnounceMembersMax, 0, 1_000_000);
        errors.RequireInRange("room_idle_ttl", RoomIdleSeconds, 0, int.MaxValue);
        errors.RequireInRange("send_queue_bytes", SendQueueBytes, 4096, 1024 * 1024 * 1024);
        errors.RequireInRange("send_queue_messages", SendQueueMessages, 0, 10_000_000);
        errors.RequireInRange("max_protocol_errors", ProtocolErrorsMax, 1, 1_000_000);
        errors.RequireInRange("connections_per_ip", ConnectionsPerAddress, 0, 10_000_000);
        errors.RequireInRange("connection_rate_per_ip", ConnectionRatePerAddress, 0, 1_000_000);
        errors.RequireInRange("rate_limit", Rate, 0, 1_000_000);
        errors.RequireInRange("rate_burst", RateBurst, 1, 1_000_000);
        errors.RequireInRange("flood_mute", FloodMuteSeconds, 0, 86_400);
        errors.RequireInRange("rate_limit_room", RoomRate, 0, 1_000_000);
        errors.RequireInRange("history_size", HistorySize, 0, 1_000_000);
        errors.RequireInRange("history_ttl", HistorySeconds, 0, int.MaxValue);
        errors.RequireInRange("rest_mailbox_messages", MailboxMessages, 1, 1_000_000);
        errors.RequireInRange("direct_queue", DirectQueue, 0, 10_000);
        errors.RequireInRange("direct_queue_ttl", DirectQueueSeconds, 1, int.MaxValue);
        errors.RequireInRange("http_max_body", HttpBodyBytes, 1024, 64 * 1024 * 1024);
        errors.RequireInRange("ws_max_frame", WebSocketFrameBytes, 1024, 64 * 1024 * 1024);
    }
}
