using System.Net;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Chat.Configuration;

/// <summary>Which listeners a chat server opens.</summary>
public enum ChatMode
{
    /// <summary>TCP only.</summary>
    Socket,

    /// <summary>HTTP and WebSocket only.</summary>
    Http,

    /// <summary>Both, over one state.</summary>
    Both,
}

/// <summary>What happens to a member that does not read.</summary>
public enum SlowConsumerPolicy
{
    /// <summary>It is told and closed; it never loses a message silently.</summary>
    Disconnect,

    /// <summary>Its oldest messages are skipped, and it is told how many.</summary>
    DropOldest,

    /// <summary>It gets what waits, and then is told how many came meanwhile and were left out.</summary>
    DropNewest,
}

/// <summary>Which of the files of accounts count.</summary>
public enum AuthMode
{
    /// <summary>All that are named.</summary>
    Auto,

    /// <summary>None: nobody is asked, whatever is named.</summary>
    None,

    /// <summary>The file of tokens.</summary>
    Token,

    /// <summary>The keys of signed tokens.</summary>
    Jwt,
}

/// <summary>Which joins and leaves a room is told of.</summary>
public enum Announcements
{
    /// <summary>Both.</summary>
    JoinAndLeave,

    /// <summary>Joins only.</summary>
    Join,

    /// <summary>None.</summary>
    None,
}

/// <summary>How a chat server runs. Immutable; the names of the keys are those of the configuration file.</summary>
public sealed record ChatOptions
{
    /// <summary>Listeners that are opened.</summary>
    public ChatMode Mode { get; init; } = ChatMode.Both;

    /// <summary>Addresses of the TCP listeners.</summary>
    public IReadOnlyList<IPEndPoint> Sockets { get; init; } = [new(IPAddress.Loopback, 10010)];

    /// <summary>Address of the HTTP listener.</summary>
    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 8000);

    /// <summary>TLS on the TCP listeners.</summary>
    public bool UseSsl { get; init; }

    /// <summary>TLS on the HTTP listener.</summary>
    public bool HttpUseSsl { get; init; }

    /// <summary>True to refuse TLS 1.2.</summary>
    public bool RequireTls13 { get; init; }

    /// <summary>PEM file with the certificate chain and, without <see cref="KeyPath"/>, the private key; or both in PKCS #12.</summary>
    public string? CertPath { get; init; }

    /// <summary>PEM file with the private key.</summary>
    public string? KeyPath { get; init; }

    /// <summary>Opens an encrypted key or a PKCS #12 file.</summary>
    public string? CertPassword { get; init; }

    /// <summary>What clients may use up.</summary>
    public ChatLimits Limits { get; init; } = new();

    /// <summary>True for the texts of the classic server on TCP: no OK, EVENT and BYE lines, messages without sender.</summary>
    public bool ClassicWireFormat { get; init; }

    /// <summary>True to end lines with CR LF, for terminals.</summary>
    public bool CrLf { get; init; }

    /// <summary>True (default) to keep a client whose sending side has ended as a member that only receives.</summary>
    public bool KeepHalfClosed { get; init; } = true;

    /// <summary>True to create a room that HELLO or JOIN names.</summary>
    public bool AutoCreateRooms { get; init; }

    /// <summary>True to let a client take over an id that is in use.</summary>
    public bool ReplaceDuplicates { get; init; }

    /// <summary>True (default) to close a client that sends an unknown command.</summary>
    public bool CloseOnUnknownCommand { get; init; } = true;

    /// <summary>True to close a client that sends a text that is too long.</summary>
    public bool CloseOnTooLong { get; init; }

    /// <summary>True to let a connection that is not registered act for a client registered elsewhere.</summary>
    public bool AllowDetached { get; init; }

    /// <summary>True to let REST send only for members of the room.</summary>
    public bool RestSendRequiresMembership { get; init; }

    /// <summary>Joins and leaves that a room is told of.</summary>
    public Announcements Announce { get; init; } = Announcements.JoinAndLeave;

    /// <summary>True to take targets of direct messages from the whole server, not from the room only.</summary>
    public bool DirectScopeServer { get; init; }

    /// <summary>What happens to a member that does not read.</summary>
    public SlowConsumerPolicy SlowConsumer { get; init; } = SlowConsumerPolicy.Disconnect;

    /// <summary>File or connection string of the durable history; null keeps history in memory only.</summary>
    public string? HistoryStore { get; init; }

    /// <summary>Which of the following files count.</summary>
    public AuthMode Auth { get; init; }

    /// <summary>File of hashed tokens; with it every client must present one.</summary>
    public string? AuthTokensPath { get; init; }

    /// <summary>File of the keys that sign tokens (JWT), a JWK Set or PEM; with it every client must present one.</summary>
    public string? JwtKeyPath { get; init; }

    /// <summary>Issuer that a signed token must name; null for any.</summary>
    public string? JwtIssuer { get; init; }

    /// <summary>Audience that a signed token must name; null for tokens without one.</summary>
    public string? JwtAudience { get; init; }

    /// <summary>PEM file of the authorities of clients' certificates; with it TLS clients show one, and its common name is their id.</summary>
    public string? ClientCaPath { get; init; }

    /// <summary>True when a load balancer tells the clients' addresses in the PROXY protocol at the head of every connection.</summary>
    public bool ProxyProtocol { get; init; }

    /// <summary>Token of the operator; null makes every caller from this machine an operator while no tokens are asked for.</summary>
    public string? AdminToken { get; init; }

    /// <summary>True to let clients of other machines in without a token.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Origins of other web sites whose pages may use the REST interface and the WebSocket.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>True to compress messages for WebSocket clients that ask for it. Each is compressed once, whoever reads it.</summary>
    public bool WebSocketCompression { get; init; }

    /// <summary>True (default) to serve <c>/metrics</c>.</summary>
    public bool MetricsEnabled { get; init; } = true;

    /// <summary>Least level of the process's log.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>True for a log for programs.</summary>
    public bool HasJsonLog { get; init; }

    /// <summary>File of the process's log, beside standard error; null for none.</summary>
    public string? LogFile { get; init; }

    /// <summary>Bytes at which that file is moved aside; 0 for never. Default 10 MiB: an editor still opens it.</summary>
    public int LogFileBytes { get; init; } = 10 * 1024 * 1024;

    /// <summary>Time to flush what is queued when the server stops.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time over which clients are told at shutdown, against all of them coming back at once.</summary>
    public TimeSpan DrainWindow { get; init; } = TimeSpan.Zero;

    /// <summary>The configuration file that was read, for the status; null for none.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>What a running server takes of new options: everything but what was opened, read or promised at its start.</summary>
    internal ChatOptions ReloadedFrom(ChatOptions wanted) => wanted with
    {
        Mode = Mode,
        Sockets = Sockets,
        Http = Http,
        ProxyProtocol = ProxyProtocol,
        UseSsl = UseSsl,
        HttpUseSsl = HttpUseSsl,
        CertPath = CertPath,
        KeyPath = KeyPath,
        CertPassword = CertPassword,
        RequireTls13 = RequireTls13,
        Auth = Auth,
        ClientCaPath = ClientCaPath,
        AuthTokensPath = AuthTokensPath,
        JwtKeyPath = JwtKeyPath,
        JwtIssuer = JwtIssuer,
        JwtAudience = JwtAudience,
        AdminToken = AdminToken,
        ClassicWireFormat = ClassicWireFormat,
        CrLf = CrLf,
        HistoryStore = HistoryStore,
        MetricsEnabled = MetricsEnabled,
        HasJsonLog = HasJsonLog,
        LogFile = LogFile,
        LogFileBytes = LogFileBytes,
        Limits = wanted.Limits with { HistorySize = Limits.HistorySize },
    };

    /// <summary>The files of TLS; null when no certificate is named.</summary>
    public TlsFiles? TlsFiles => CertPath is null ? null : new TlsFiles { Certificate = CertPath, Key = KeyPath, Password = CertPassword, Authorities = ClientCaPath };

    /// <summary>Whether every client must say who it is.</summary>
    internal bool IsAccountRequired => Auth != AuthMode.None && (TokensInUse ?? JwtKeysInUse ?? ClientCaPath) is not null;

    /// <summary>The file of tokens, where it counts.</summary>
    internal string? TokensInUse => Auth is AuthMode.Auto or AuthMode.Token ? AuthTokensPath : null;

    /// <summary>The keys of signed tokens, where they count.</summary>
    internal string? JwtKeysInUse => Auth is AuthMode.Auto or AuthMode.Jwt ? JwtKeyPath : null;

    /// <summary>Adds everything that is wrong to <paramref name="errors"/>.</summary>
    /// <param name="errors">Where it goes.</param>
    public void Validate(OptionsErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        if ((UseSsl || HttpUseSsl) && CertPath is null)
            errors.Add(UseSsl ? "use_ssl" : "http_use_ssl", "TLS needs cert_path, a PEM file with the certificate chain and its key");
        if (Auth == AuthMode.Token && AuthTokensPath is null) errors.Add("auth_mode", "token", "needs auth_tokens_path, the file of the tokens");
        if (Auth == AuthMode.Jwt && JwtKeyPath is null) errors.Add("auth_mode", "jwt", "needs jwt_key_path, the keys that sign the tokens");
        if (ClientCaPath is not null && !UseSsl && !HttpUseSsl)
            errors.Add("client_ca_path", "clients show certificates in TLS only: set use_ssl or http_use_ssl");
        if (JwtKeyPath is null && (JwtIssuer is not null || JwtAudience is not null))
            errors.Add(JwtIssuer is not null ? "jwt_issuer" : "jwt_audience", "signed tokens need jwt_key_path, a JWK Set or public keys in PEM");
        if (!IsAccountRequired && !AllowAnonymous) RequireLoopback(errors);
        Limits.Validate(errors);
    }

    /// <summary>Whoever reaches the server could speak under any free name, so beyond this machine that has to be said.</summary>
    private void RequireLoopback(OptionsErrors errors)
    {
        const string Rule = "clients of other machines need accounts: set auth_tokens_path, jwt_key_path or client_ca_path, or allow_anonymous to let everybody in";
        foreach (var socket in Mode == ChatMode.Http ? [] : Sockets)
            if (!IPAddress.IsLoopback(socket.Address)) errors.Add("socket_host", socket.Address, Rule);
        if (Mode != ChatMode.Socket && !IPAddress.IsLoopback(Http.Address)) errors.Add("http_host", Http.Address, Rule);
    }
}
