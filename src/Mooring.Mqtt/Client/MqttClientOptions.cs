using System.Text;
using Mooring.Kernel.Links;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client;

/// <summary>How a client reaches its broker and what it asks for. Immutable; use <c>with</c> for a variant.</summary>
public sealed record MqttClientOptions
{
    /// <summary>
    /// The broker: <c>mqtt://host[:1883]</c>, <c>mqtts://host[:8883]</c> (TLS), <c>ws://host[:80]/path</c> or
    /// <c>wss://host[:443]/path</c>. A WebSocket address without a path means <c>/mqtt</c>.
    /// </summary>
    public required Uri Server { get; init; }

    /// <summary>Protocol version; default 5.0.</summary>
    public MqttVersion Version { get; init; } = MqttVersion.V500;

    /// <summary>Client identifier. Null (default): a random one. Empty: the broker gives one.</summary>
    public string? ClientId { get; init; }

    /// <summary>User name and password; null for none.</summary>
    public MqttCredentials? Credentials { get; init; }

    /// <summary>
    /// PEM files for <c>mqtts</c> and <c>wss</c>: authorities to trust (null: those of the system) and, for mutual TLS, this client's
    /// certificate and key. Renewed files are used from the next connection on. The broker's certificate is always verified.
    /// </summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>Name that the broker's certificate must carry, where it is not the host of <see cref="Server"/>.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>HTTP headers of the WebSocket request.</summary>
    public IReadOnlyDictionary<string, string> WebSocketHeaders { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Begin without the session that an earlier client of this identifier left; default true. Reconnects of this client always
    /// continue its own session, if <see cref="SessionExpiry"/> lets it live.
    /// </summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>
    /// How long the broker keeps the session after the connection ended, in whole seconds; default zero. <see
    /// cref="Timeout.InfiniteTimeSpan"/> means for ever. In 3.1.1, anything above zero means "clean session" is off.
    /// </summary>
    public TimeSpan SessionExpiry { get; init; }

    /// <summary>
    /// A PINGREQ is sent when nothing was sent or nothing was received for this long; whole seconds, default 30 s, zero for never. The
    /// broker may ask for another value.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait for PINGRESP before the connection counts as dead; null (default): half of the keep-alive, at least 5 s.</summary>
    public TimeSpan? PingTimeout { get; init; }

    /// <summary>Message that the broker publishes if this client vanishes; null for none.</summary>
    public MqttWill? Will { get; init; }

    /// <summary>MQTT 5.0: user properties of CONNECT.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];

    /// <summary>Waits between connections; default 1 s doubling to 60 s with full jitter, forgotten after 30 s of being up.</summary>
    public BackoffPolicy Backoff { get; init; } = BackoffPolicy.Default;

    /// <summary>Bounds of the client.</summary>
    public MqttClientLimits Limits { get; init; } = new();

    internal bool UsesTls => Server.Scheme is "mqtts" or "wss";

    internal bool UsesWebSocket => Server.Scheme is "ws" or "wss";

    internal bool KeepsSession => SessionExpiry != TimeSpan.Zero;

    /// <summary>Adds all that is wrong with these options to <paramref name="errors"/>.</summary>
    /// <param name="errors">Where to add.</param>
    public void Validate(OptionsErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        ValidateServer(errors);
        ValidateSession(errors);
        errors.Require(
            KeepAlive >= TimeSpan.Zero && KeepAlive <= TimeSpan.FromSeconds(ushort.MaxValue) && IsWholeSeconds(KeepAlive),
            "keepAlive", KeepAlive, "use whole seconds, 0 to 65535");
        if (PingTimeout is { } ping) errors.RequireInRange("pingTimeout", ping, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        if (Credentials is { } credentials)
        {
            errors.Require(IsText(credentials.UserName), "credentials.userName", credentials.UserName, "use at most 65535 bytes of text");
            if (!IsText(credentials.Password)) errors.Add("credentials.password", "use at most 65535 bytes of text");
            if (Version == MqttVersion.V311 && credentials is { UserName: null, Password: not null })
            {
                errors.Add("credentials.userName", "MQTT 3.1.1 needs a user name beside a password");
            }
        }
        ValidateWill(errors);
        Limits.Validate(errors, "limits");
    }

    internal static bool IsWholeSeconds(TimeSpan time) => time.Ticks % TimeSpan.TicksPerSecond == 0;

    private static bool IsText(string? text) =>
        text is null || (Encoding.UTF8.GetByteCount(text) <= ushort.MaxValue && !text.Contains('\0'));

    private void ValidateServer(OptionsErrors errors)
    {
        var isAddress = Server is { IsAbsoluteUri: true, Host.Length: > 0, Scheme: "mqtt" or "mqtts" or "ws" or "wss" };
        if (!errors.Require(isAddress, "server", Server, "use mqtt://host:port, mqtts://host:port, ws://host:port/path or wss://host:port/path"))
        {
            return;
        }
        if (Server.UserInfo.Length > 0) errors.Add("server", "give user name and password in credentials, not in the address");
        if (!UsesWebSocket) errors.Require(Server.PathAndQuery is "/" or "", "server", Server, "only ws and wss have a path");
        if (!UsesTls && (Tls is not null || TlsServerName is not null)) errors.Add("tls", "the address must begin with mqtts or wss");
    }

    private void ValidateSession(OptionsErrors errors)
    {
        errors.Require(Version is MqttVersion.V311 or MqttVersion.V500, "version", Version, "use V311 or V500");
        errors.Require(IsText(ClientId), "clientId", ClientId, "use at most 65535 bytes of text");
        var expiry = SessionExpiry;
        errors.Require(
            expiry == Timeout.InfiniteTimeSpan
                || (expiry >= TimeSpan.Zero && expiry.TotalSeconds < uint.MaxValue && IsWholeSeconds(expiry)),
            "sessionExpiry", expiry, "use whole seconds, or Timeout.InfiniteTimeSpan");
        if (Version != MqttVersion.V311 || !KeepsSession) return;
        errors.Require(ClientId is not "", "clientId", ClientId, "MQTT 3.1.1 needs an identifier for a session that is kept");
        errors.Require(!CleanStart, "cleanStart", CleanStart, "MQTT 3.1.1 cannot begin clean and keep the session: use false");
    }

    private void ValidateWill(OptionsErrors errors)
    {
        if (Will is not { } will) return;
        errors.Require(
            TopicName.IsValid(Encoding.UTF8.GetBytes(will.Message.Topic)), "will.topic", will.Message.Topic,
            "use 1 to 65535 bytes without + and #");
        errors.Require(will.Message.QualityOfService <= QualityOfService.ExactlyOnce, "will.qualityOfService", will.Message.QualityOfService, "use 0 to 2");
        errors.Require(will.Message.Payload.Length <= ushort.MaxValue, "will.payload", will.Message.Payload.Length, "use at most 65535 bytes");
        errors.Require(
            will.Delay >= TimeSpan.Zero && will.Delay.TotalSeconds < uint.MaxValue && IsWholeSeconds(will.Delay),
            "will.delay", will.Delay, "use whole seconds");
    }
}
