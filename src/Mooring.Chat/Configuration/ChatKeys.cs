using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Mooring.Chat.Configuration;

/// <summary>All settings.</summary>
public static class ChatKeys
{
    internal const string FlagValues = "true or false";

    /// <summary>In the order in which they are shown.</summary>
    public static IReadOnlyList<ChatKey> All { get; } =
    [
        Choice("mode", "both", "Listeners to open.", ["socket", "http", "both"], (o, v) => o with
        {
            Mode = v switch { "socket" => ChatMode.Socket, "http" => ChatMode.Http, _ => ChatMode.Both },
        }),
        Text("socket_host", "127.0.0.1", "Addresses of the line protocol.", "an address or a name, several with commas between them", (o, v) => o with
        {
            Sockets = [.. Addresses(v).Select(address => new IPEndPoint(address, o.Sockets[0].Port))],
        }),
        Number("socket_port", 10010, "Port of the line protocol.", 0, ushort.MaxValue, (o, v) => o with
        {
            Sockets = [.. o.Sockets.Select(socket => new IPEndPoint(socket.Address, v))],
        }),
        Text("http_host", "127.0.0.1", "Address of REST and WebSocket.", "an address or a name", (o, v) => o with { Http = new IPEndPoint(Addresses(v)[0], o.Http.Port) }),
        Number("http_port", 8000, "Port of REST and WebSocket.", 0, ushort.MaxValue, (o, v) => o with { Http = new IPEndPoint(o.Http.Address, v) }),
        Limit("max_clients", 100, "Clients of all transports together.", 1, 10_000_000, (l, v) => l with { ClientsMax = v }),
        Limit("max_message_length", 255, "Unicode characters of a message.", 1, 1024 * 1024, (l, v) => l with { MessageScalarsMax = v }),
        Flag("use_ssl", false, "TLS for the line protocol.", (o, v) => o with { UseSsl = v }),
        Flag("http_use_ssl", false, "TLS for REST and WebSocket.", (o, v) => o with { HttpUseSsl = v }),
        Choice("tls_min_version", "1.2", "Oldest version of TLS that is spoken.", ["1.2", "1.3"], (o, v) => o with { RequireTls13 = v == "1.3" }),
        Text("cert_path", "", "PEM file of the certificate, its chain and, without key_path, its key; or all of it as .pfx or .p12.", "a file", (o, v) => o with { CertPath = v }),
        Text("key_path", "", "PEM file of the certificate's key.", "a file", (o, v) => o with { KeyPath = v }),
        Text("cert_password", "", "Opens an encrypted key or a .pfx file; on the command line other users of the machine can see it.", "a text", (o, v) => o with { CertPassword = v }),
        Text("client_ca_path", "", "PEM file of the authorities of clients' certificates; the common name is the client id.", "a file", (o, v) => o with { ClientCaPath = v }),
        Choice("auth_mode", "auto", "Which accounts are asked for: those of all files that are named, or of one kind.", ["auto", "none", "token", "jwt"], (o, v) => o with
        {
            Auth = v switch { "none" => AuthMode.None, "token" => AuthMode.Token, "jwt" => AuthMode.Jwt, _ => AuthMode.Auto },
        }),
        Text("auth_tokens_path", "", "File of tokens; with it every client must present one.", "a file", (o, v) => o with { AuthTokensPath = v }),
        Text("jwt_key_path", "", "Keys of signed tokens (JWT): a JWK Set or public keys in PEM; with it every client must present one.", "a file", (o, v) => o with { JwtKeyPath = v }),
        Text("jwt_issuer", "", "Issuer that a signed token must name.", "a text", (o, v) => o with { JwtIssuer = v }),
        Text("jwt_audience", "", "Audience that a signed token must name.", "a text", (o, v) => o with { JwtAudience = v }),
        Text("admin_token", "", "Token of the operator.", "a text", (o, v) => o with { AdminToken = v }),
        Flag("allow_anonymous", false, "Lets clients of other machines in without a token.", (o, v) => o with { AllowAnonymous = v }),
        Choice("proxy_protocol", "off", "Clients' addresses from a load balancer (PROXY protocol 1 and 2).", ["off", "on"], (o, v) => o with { ProxyProtocol = v == "on" }),
        Choice("wire_format", "attributed", "Form of the lines.", ["attributed", "classic"], (o, v) => o with { ClassicWireFormat = v == "classic" }),
        Choice("tcp_line_ending", "lf", "End of the lines that are sent.", ["lf", "crlf"], (o, v) => o with { CrLf = v == "crlf" }),
        Choice("half_close", "keep", "A client that has ended its sending side.", ["keep", "close"], (o, v) => o with { KeepHalfClosed = v == "keep" }),
        Flag("auto_create_rooms", false, "Creates rooms as they are named.", (o, v) => o with { AutoCreateRooms = v }),
        Choice("duplicate_client", "reject", "An id that is in use.", ["reject", "replace"], (o, v) => o with { ReplaceDuplicates = v == "replace" }),
        Choice("unknown_command", "close", "A client with an unknown command.", ["close", "ignore"], (o, v) => o with { CloseOnUnknownCommand = v == "close" }),
        Flag("close_on_too_long", false, "Closes a client whose message is too long.", (o, v) => o with { CloseOnTooLong = v }),
        Flag("allow_detached", false, "Lets connections act for ids registered elsewhere, as clients of the classic server do.", (o, v) => o with { AllowDetached = v }),
        Flag("rest_send_requires_membership", false, "Lets REST send for members only.", (o, v) => o with { RestSendRequiresMembership = v }),
        Choice("direct_scope", "room", "Where direct messages find their targets.", ["room", "server"], (o, v) => o with { DirectScopeServer = v == "server" }),
        Choice("announce", "join+leave", "What rooms are told.", ["join+leave", "join", "none"], (o, v) => o with
        {
            Announce = v switch { "join" => Announcements.Join, "none" => Announcements.None, _ => Announcements.JoinAndLeave },
        }),
        Choice("slow_consumer", "disconnect", "A member that does not read.", ["disconnect", "drop_oldest", "drop_newest"], (o, v) => o with
        {
            SlowConsumer = v switch { "drop_oldest" => SlowConsumerPolicy.DropOldest, "drop_newest" => SlowConsumerPolicy.DropNewest, _ => SlowConsumerPolicy.Disconnect },
        }),
        Limit("max_line_bytes", 0, "Bytes of a line; 0 for what max_message_length needs.", 0, 16 * 1024 * 1024, (l, v) => l with { LineBytes = v }),
        Limit("max_rooms", 1000, "Rooms.", 1, 10_000_000, (l, v) => l with { RoomsMax = v }),
        Limit("max_rooms_per_client", 100, "Rooms of one client.", 1, 100_000, (l, v) => l with { RoomsPerClientMax = v }),
        Limit("max_room_members", 0, "Members of a room; 0 for no limit.", 0, 10_000_000, (l, v) => l with { RoomMembersMax = v }),
        Limit("announce_max_members", 100, "Members up to which joins and leaves are told.", 0, 1_000_000, (l, v) => l with { AnnounceMembersMax = v }),
        Limit("room_idle_ttl", 3600, "Seconds that an empty room stays; 0 for ever.", 0, int.MaxValue, (l, v) => l with { RoomIdleSeconds = v }),
        Limit("send_queue_bytes", 1024 * 1024, "Bytes that may wait for one client.", 4096, 1024 * 1024 * 1024, (l, v) => l with { SendQueueBytes = v }),
        Limit("send_queue_messages", 0, "Messages that may wait for one client that takes nothing; 0 for no limit but that of the bytes.", 0, 10_000_000, (l, v) => l with { SendQueueMessages = v }),
        Limit("direct_queue", 0, "Direct messages kept for a client that is suspended or away; 0 for none.", 0, 10_000, (l, v) => l with { DirectQueue = v }),
        Limit("direct_queue_ttl", 86_400, "Seconds that such a message is kept.", 1, int.MaxValue, (l, v) => l with { DirectQueueSeconds = v }),
        Seconds("write_deadline", 10, "Time in which a client must take something.", (l, v) => l with { WriteDeadline = v }),
        Seconds("register_timeout", 30, "Time from connect to HELLO.", (l, v) => l with { RegisterTimeout = v }),
        Seconds("idle_timeout", 0, "Time without a command; 0 for no limit.", (l, v) => l with { IdleTimeout = v }),
        Limit("max_protocol_errors", 10, "Errors in a row after which a client is closed.", 1, 1_000_000, (l, v) => l with { ProtocolErrorsMax = v }),
        Limit("connections_per_ip", 0, "Connections of one address; 0 for no limit.", 0, 10_000_000, (l, v) => l with { ConnectionsPerAddress = v }),
        Limit("connection_rate_per_ip", 0, "New connections a second of one address; 0 for no limit.", 0, 1_000_000, (l, v) => l with { ConnectionRatePerAddress = v }),
        Limit("rate_limit", 0, "Messages a second of one client; 0 for no limit.", 0, 1_000_000, (l, v) => l with { Rate = v }),
        Limit("rate_burst", 20, "Messages that may come at once.", 1, 1_000_000, (l, v) => l with { RateBurst = v }),
        Limit("flood_mute", 0, "Seconds for which a client is not heard that goes on beyond rate_limit; 0 for none.", 0, 86_400, (l, v) => l with { FloodMuteSeconds = v }),
        Limit("rate_limit_room", 0, "Messages a second in one room; 0 for no limit.", 0, 1_000_000, (l, v) => l with { RoomRate = v }),
        Limit("history_size", 100, "Messages kept for each room.", 0, 1_000_000, (l, v) => l with { HistorySize = v }),
        Limit("history_ttl", 3600, "Seconds that a message is kept; 0 for ever.", 0, int.MaxValue, (l, v) => l with { HistorySeconds = v }),
        Text("history_store", "memory", "Where history is kept.", "memory, a file, or postgresql://...", (o, v) => o with { HistoryStore = v == "memory" ? null : v }),
        Limit("rest_mailbox_messages", 1000, "Messages that wait for a REST client.", 1, 1_000_000, (l, v) => l with { MailboxMessages = v }),
        Limit("http_max_body", 64 * 1024, "Bytes of a request.", 1024, 64 * 1024 * 1024, (l, v) => l with { HttpBodyBytes = v }),
        Flag("ws_compression", false, "Compresses messages for WebSocket clients that ask for it (permessage-deflate).", (o, v) => o with { WebSocketCompression = v }),
        Limit("ws_max_frame", 64 * 1024, "Bytes of a WebSocket frame.", 1024, 64 * 1024 * 1024, (l, v) => l with { WebSocketFrameBytes = v }),
        Text("cors_origins", "", "Origins of other sites whose pages may come.", "origins such as https://example.org, several with commas between them", (o, v) => o with
        {
            CorsOrigins = v.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        }),
        Log("log_level", "info", "Least level that is logged.", "trace, debug, info, warning, error, critical", (o, v) => o with { LogLevel = Level(v) }),
        Log("log_format", "text", "Lines of the log for people or for programs.", "text, json", (o, v) => o with
        {
            HasJsonLog = v.ToLowerInvariant() switch { "text" => false, "json" => true, _ => throw new FormatException("use one of text, json") },
        }),
        Log("log_file", "", "File of the log, beside standard error.", "a file", (o, v) => o with { LogFile = v }),
        Log("log_file_size", "10485760", "Bytes at which the file is moved aside, 5 such are kept; 0 for never.", "0 to 2147483647", (o, v) => o with
        {
            LogFileBytes = int.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : throw new FormatException($"use a number from 0 to {int.MaxValue}"),
        }),
        Flag("metrics_enabled", true, "Serves /metrics.", (o, v) => o with { MetricsEnabled = v }),
        Number("shutdown_grace", 10, "Seconds to send what waits when the server stops.", 0, 3600, (o, v) => o with { ShutdownGrace = TimeSpan.FromSeconds(v) }),
        Number("drain_window", 0, "Seconds over which clients are told that the server stops.", 0, 3600, (o, v) => o with { DrainWindow = TimeSpan.FromSeconds(v) }),
    ];

    /// <summary>Listeners and what else is fixed at the start and differs.</summary>
    internal static string NamesOfDifferences(ChatOptions taken, ChatOptions wanted)
    {
        (string Names, bool IsDifferent)[] groups =
        [
            ("mode", taken.Mode != wanted.Mode),
            ("socket_host and socket_port", !taken.Sockets.SequenceEqual(wanted.Sockets)),
            ("http_host and http_port", !taken.Http.Equals(wanted.Http)),
            ("use_ssl, http_use_ssl and tls_min_version", taken.UseSsl != wanted.UseSsl || taken.HttpUseSsl != wanted.HttpUseSsl || taken.RequireTls13 != wanted.RequireTls13),
            ("cert_path, key_path and client_ca_path", taken.CertPath != wanted.CertPath || taken.KeyPath != wanted.KeyPath || taken.ClientCaPath != wanted.ClientCaPath),
            ("cert_password", taken.CertPassword != wanted.CertPassword),
            ("auth_mode", taken.Auth != wanted.Auth),
            ("auth_tokens_path and admin_token", taken.AuthTokensPath != wanted.AuthTokensPath || taken.AdminToken != wanted.AdminToken),
            ("jwt_key_path, jwt_issuer and jwt_audience", taken.JwtKeyPath != wanted.JwtKeyPath || taken.JwtIssuer != wanted.JwtIssuer || taken.JwtAudience != wanted.JwtAudience),
            ("log_format, log_file and log_file_size", (taken.HasJsonLog, taken.LogFile, taken.LogFileBytes) != (wanted.HasJsonLog, wanted.LogFile, wanted.LogFileBytes)),
            ("proxy_protocol", taken.ProxyProtocol != wanted.ProxyProtocol),
            ("wire_format and tcp_line_ending", taken.ClassicWireFormat != wanted.ClassicWireFormat || taken.CrLf != wanted.CrLf),
            ("metrics_enabled", taken.MetricsEnabled != wanted.MetricsEnabled),
            ("history_store, history_size", taken.HistoryStore != wanted.HistoryStore || taken.Limits.HistorySize != wanted.Limits.HistorySize),
        ];
        var names = string.Join(", ", groups.Where(group => group.IsDifferent).Select(group => group.Names));
        return names.Length == 0 ? "nothing" : names;
    }

    private static ChatKey Text(string name, string standard, string description, string allowed, Func<ChatOptions, string, ChatOptions> apply) =>
        new(name, standard, description, allowed, apply);

    private static ChatKey Log(string name, string standard, string description, string allowed, Func<ChatOptions, string, ChatOptions> apply) =>
        new(name, standard, description, allowed, apply) { IsOfProcess = true };

    private static LogLevel Level(string text) => text.ToLowerInvariant() switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "info" or "information" => LogLevel.Information,
        "warn" or "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "critical" => LogLevel.Critical,
        _ => throw new FormatException("use one of trace, debug, info, warning, error, critical"),
    };

    private static ChatKey Choice(
        string name, string standard, string description, string[] allowed, Func<ChatOptions, string, ChatOptions> apply) =>
        new(name, standard, description, string.Join(", ", allowed), (options, text) =>
        {
            var value = text.ToLowerInvariant();
            return allowed.Contains(value, StringComparer.Ordinal) ? apply(options, value) : throw new FormatException($"use one of {string.Join(", ", allowed)}");
        });

    private static ChatKey Flag(string name, bool standard, string description, Func<ChatOptions, bool, ChatOptions> apply) =>
        new(name, standard ? "true" : "false", description, FlagValues, (options, text) =>
            apply(options, text.ToLowerInvariant() is "true" or "yes" or "1" or "on"));

    private static ChatKey Number(
        string name, int standard, string description, int least, int most, Func<ChatOptions, int, ChatOptions> apply) =>
        new(name, standard.ToString(CultureInfo.InvariantCulture), description, $"{least} to {most}", (options, text) =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
                ? apply(options, value)
                : throw new FormatException($"use a number from {least} to {most}"));

    private static ChatKey Limit(
        string name, int standard, string description, int least, int most, Func<ChatLimits, int, ChatLimits> apply) =>
        Number(name, standard, description, least, most, (options, value) => options with { Limits = apply(options.Limits, value) });

    private static ChatKey Seconds(string name, int standard, string description, Func<ChatLimits, TimeSpan, ChatLimits> apply) =>
        Limit(name, standard, description, 0, 86_400, (limits, value) => apply(limits, TimeSpan.FromSeconds(value)));

    private static IPAddress[] Addresses(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Address)];

    private static IPAddress Address(string text)
    {
        if (text == "*") return IPAddress.Any;
        if (text == "localhost") return IPAddress.Loopback;
        if (IPAddress.TryParse(text, out var address)) return address;
        try
        {
            return Dns.GetHostAddresses(text) is [var first, ..] ? first : throw new FormatException($"{text} has no address");
        }
        catch (Exception exception) when (exception is System.Net.Sockets.SocketException or ArgumentException)
        {
            throw new FormatException($"{text} is neither an address nor a name that is known");
        }
    }
}
