using System.Net.Security;
using Mooring.Kernel.Links;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.SocketIO;

/// <summary>Where a client connects to, and how.</summary>
public sealed record SocketIOClientOptions
{
    /// <summary>The server: http, https, ws or wss, with an optional port. A path in it is not used.</summary>
    public required Uri Address { get; init; }

    /// <summary>Where the server listens on that host.</summary>
    public string Path { get; init; } = SocketIOHosting.DefaultPath;

    /// <summary>The ways to connect that may be used.</summary>
    public SocketIOTransports Transports { get; init; } = SocketIOTransports.Both;

    /// <summary>
    /// With both transports: whether to begin with polling and move to a WebSocket, as browsers do. Default false: begin with a WebSocket, which
    /// saves two round trips, and poll where something on the way does not let it through.
    /// </summary>
    public bool PollingFirst { get; init; }

    /// <summary>
    /// What to show and whom to trust over TLS, asked anew for each connection so that a renewed certificate needs no restart. Null trusts the
    /// system's authorities and shows nothing.
    /// </summary>
    public Func<TlsMaterial>? Tls { get; init; }

    /// <summary>
    /// Whether the server's certificate must be good. Default true; false only for a server on a network that is nobody else's, which signs
    /// its certificate itself.
    /// </summary>
    public bool VerifiesServer { get; init; } = true;

    /// <summary>Decides, in the place of the system, whether the server's certificate is accepted. Without, <see cref="VerifiesServer"/> does.</summary>
    public RemoteCertificateValidationCallback? AcceptsCertificate { get; init; }

    /// <summary>Headers sent with every request, such as Authorization.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the system's proxy settings are followed. Default true.</summary>
    public bool UsesProxy { get; init; } = true;

    /// <summary>From the first byte to the last namespace joined. Default 20 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a WebSocket may take to prove that it works, while polling does already. Default 5 s.</summary>
    public TimeSpan UpgradeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long what still waits may take to go out when the client stops. Default 2 s.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Waits between connections.</summary>
    public BackoffPolicy Backoff { get; init; } = BackoffPolicy.Default;

    /// <summary>Waits while there never was a connection; null for <see cref="Backoff"/>.</summary>
    public BackoffPolicy? BackoffUntilFirstConnect { get; init; }

    /// <summary>What the server may make this client hold.</summary>
    public SocketIOLimits Limits { get; init; } = new();

    /// <summary>Adds everything that is wrong to a list.</summary>
    /// <param name="key">Path of these options in the configuration.</param>
    /// <param name="errors">The list.</param>
    public void Validate(string key, OptionsErrors errors)
    {
        errors.Require(
            Address.IsAbsoluteUri && Address.Scheme is "http" or "https" or "ws" or "wss", key + ".address", Address,
            "use http, https, ws or wss with a host, such as https://hub.example.org:3001");
        errors.Require(Path is ['/', ..] && !Path.Contains('?'), key + ".path", Path, "begin with a slash");
        errors.Require((Transports & SocketIOTransports.Both) != 0, key + ".transports", Transports, "use Polling, WebSocket or Both");
        errors.RequireInRange(key + ".connectTimeout", ConnectTimeout, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(10));
        errors.RequireInRange(key + ".upgradeTimeout", UpgradeTimeout, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(10));
        errors.RequireInRange(key + ".closeTimeout", CloseTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        Limits.Validate(key + ".limits", errors);
    }
}
