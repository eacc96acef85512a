using Mooring.Kernel.Options;

namespace Mooring.SocketIO;

/// <summary>How a server treats its clients.</summary>
public sealed record SocketIOServerOptions
{
    /// <summary>What one client may cost.</summary>
    public SocketIOLimits Limits { get; init; } = new();

    /// <summary>Time between two pings. Default 25 s: below the idle limits of common proxies.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>A client that has not answered a ping for this long, and neither sent nor taken anything else, is gone. Default 20 s.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A WebSocket that was opened to take over must do so within this time. Default 10 s.</summary>
    public TimeSpan UpgradeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A client must join a namespace within this time. Judged at each ping. Default 45 s.</summary>
    public TimeSpan JoinTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How long a closing connection may take to say goodbye. Default 2 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Connections at the same time; more are refused with status 503. Default 10,000.</summary>
    public int ConnectionsMax { get; init; } = 10_000;

    /// <summary>The ways to connect that are offered.</summary>
    public SocketIOTransports Transports { get; init; } = SocketIOTransports.Both;

    /// <summary>
    /// Web pages of other origins (such as <c>https://app.example.org</c>) that may connect; <c>*</c> is everyone. Programs that are not
    /// browsers send no origin and are not concerned. Default none: browsers send cookies along, whoever's page asks them to.
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>
    /// Asked about every connection before it exists, with the client's certificate. An answer other than null refuses it. Default: all
    /// may connect, as far as the framework's own authorization lets them.
    /// </summary>
    public Func<SocketIOHandshake, CancellationToken, ValueTask<SocketIORefusal?>>? Admit { get; init; }

    /// <summary>Adds everything that is wrong to a list.</summary>
    /// <param name="key">Path of these options in the configuration.</param>
    /// <param name="errors">The list.</param>
    public void Validate(string key, OptionsErrors errors)
    {
        Limits.Validate(key + ".limits", errors);
        errors.RequireInRange(key + ".pingInterval", PingInterval, TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1));
        errors.RequireInRange(key + ".pingTimeout", PingTimeout, TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1));
        errors.RequireInRange(key + ".upgradeTimeout", UpgradeTimeout, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(5));
        errors.RequireInRange(key + ".joinTimeout", JoinTimeout, TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1));
        errors.RequireInRange(key + ".closeTimeout", CloseTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        errors.RequireInRange(key + ".connectionsMax", ConnectionsMax, 1, 10_000_000);
        errors.Require((Transports & SocketIOTransports.Both) != 0, key + ".transports", Transports, "use Polling, WebSocket or Both");
        for (var i = 0; i < AllowedOrigins.Count; i++)
            errors.Require(
                AllowedOrigins[i] == "*" || (Uri.TryCreate(AllowedOrigins[i], UriKind.Absolute, out var uri) && uri.GetLeftPart(UriPartial.Authority) == AllowedOrigins[i]),
                $"{key}.allowedOrigins[{i}]", AllowedOrigins[i], "use scheme, host and port, such as https://app.example.org, or *");
    }
}
