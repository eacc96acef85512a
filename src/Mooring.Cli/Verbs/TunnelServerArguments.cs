using System.CommandLine;
using System.Net;
using Mooring.Cli.Configuration;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Server.Accounts;

namespace Mooring.Cli.Verbs;

/// <summary>Options of the tunnel server, alone or inside <c>mooring up</c>.</summary>
internal sealed class TunnelServerArguments
{
    private readonly Option<string> _bind;
    private readonly Option<int> _port;
    private readonly Option<int> _httpPort;
    private readonly Option<int?> _httpsPort;
    private readonly Option<string?> _certificate;
    private readonly Option<string?> _key;
    private readonly Option<bool> _controlTls;
    private readonly Option<string> _domain;
    private readonly Option<string?> _publicUrl;
    private readonly Option<string> _ports;
    private readonly Option<string[]> _tokens;
    private readonly Option<bool> _register;
    private readonly Option<string[]> _allow;
    private readonly Option<string[]> _deny;
    private readonly Option<string[]> _trusted;
    private readonly Option<bool> _proxyProtocol;
    private readonly Option<int> _connections;
    private readonly Option<int> _accountTunnels;
    private readonly Option<int> _accountSessions;
    private readonly Option<int> _accountRequests;
    private readonly Option<long> _accountBytes;
    private readonly Option<string?> _accessLog;
    private readonly Option<bool> _warning;
    private readonly Option<string?> _abuse;

    private TunnelServerArguments(string prefix)
    {
        _bind = SharedOptions.Bind(prefix + "bind");
        _port = SharedOptions.Port(prefix + "port", 6400, "tunnel clients and their API");
        _httpPort = SharedOptions.Port(prefix + "http-port", 6480, "visitors of tunnels, with HTTP");
        _httpsPort = SharedOptions.OptionalPort(prefix + "https-port", "a listener for visitors with HTTPS");
        _certificate = new Option<string?>(prefix + "tls-cert") { Description = "PEM file of the certificate, a wildcard of the base domain.", HelpName = "FILE" };
        _key = new Option<string?>(prefix + "tls-key") { Description = "PEM file of its key.", HelpName = "FILE" };
        _controlTls = new Option<bool>(prefix + "control-tls") { Description = "Clients come in over TLS too, with the same certificate." };
        _domain = new Option<string>(prefix + "base-domain") { Description = "Tunnels are names under this domain.", HelpName = "DOMAIN", DefaultValueFactory = _ => "localhost" };
        _publicUrl = new Option<string?>(prefix + "public-url") { Description = "Scheme and port of public addresses behind a proxy, such as https://*.", HelpName = "URL" };
        _ports = new Option<string>(prefix + "tcp-ports") { Description = "Ports for TCP tunnels.", HelpName = "FIRST-LAST", DefaultValueFactory = _ => "20000-20999" };
        _tokens = new ShapedOption<string[]>(prefix + "token")
        {
            Description = "An operator's token; it may do everything. May be given more than once.",
            HelpName = "TOKEN",
            IsSecret = true,
        };
        _register = new Option<bool>(prefix + "open-registration") { Description = "Anybody may make an account, not only clients of this machine." };
        _allow = Networks(prefix + "allow", "Networks that visitors may come from.");
        _deny = Networks(prefix + "deny", "Networks that visitors may not come from.");
        _trusted = Networks(prefix + "trusted-proxy", "Proxies whose forwarding fields are believed.");
        _proxyProtocol = new Option<bool>(prefix + "proxy-protocol") { Description = "Trusted proxies begin each visitor's connection with a PROXY protocol header, version 1 or 2." };
        _connections = new Option<int>(prefix + "tcp-connections")
        {
            Description = "Visitors' connections to a TCP tunnel at a time.",
            HelpName = "N",
            DefaultValueFactory = _ => new TunnelServerLimits().TcpConnectionsMax,
        };
        _accountTunnels = Count(prefix + "account-tunnels", "Tunnels that an account may have, unless an operator says otherwise.", Quota.Default.Tunnels);
        _accountSessions = Count(prefix + "account-sessions", "Clients that an account may have connected.", Quota.Default.Sessions);
        _accountRequests = Count(prefix + "account-requests", "Requests in a second that visitors may make of an account's tunnels; 0 for no limit.", Quota.Default.RequestsPerSecond);
        _accountBytes = new Option<long>(prefix + "account-bytes")
        {
            Description = "Bytes in a day that an account's tunnels may carry, both directions together; 0 for no limit.",
            HelpName = "N",
            DefaultValueFactory = _ => Quota.Default.BytesPerDay,
        };
        _accountBytes.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && long.TryParse(text, out var number) && number < 0) result.AddError($"{prefix}account-bytes: '{text}' is not allowed: 0 or more");
        });
        _accessLog = new Option<string?>(prefix + "access-log") { Description = "File for one line of JSON per request.", HelpName = "FILE" };
        _warning = new Option<bool>(prefix + "visitor-warning") { Description = "Browsers see a page first that says that the address is somebody's tunnel." };
        _abuse = new Option<string?>(prefix + "abuse-contact") { Description = "Where visitors can report a tunnel: an address of mail, or a URL.", HelpName = "CONTACT" };
    }

    /// <summary>What changes the port for clients, in the user's words.</summary>
    internal string PortOption => _port.Name;

    /// <summary>What changes the port for visitors.</summary>
    internal string HttpPortOption => _httpPort.Name;

    internal static TunnelServerArguments AddTo(Command command, bool isAlone)
    {
        var arguments = new TunnelServerArguments(isAlone ? "--" : "--tunnel-");
        foreach (var option in new Option[]
        {
            arguments._bind, arguments._port, arguments._httpPort, arguments._httpsPort, arguments._certificate, arguments._key, arguments._controlTls,
            arguments._domain, arguments._publicUrl, arguments._ports, arguments._tokens, arguments._register, arguments._allow, arguments._deny,
            arguments._trusted, arguments._proxyProtocol, arguments._connections, arguments._accountTunnels, arguments._accountSessions, arguments._accountRequests,
            arguments._accountBytes, arguments._accessLog, arguments._warning, arguments._abuse,
        })
            command.Options.Add(option);
        return arguments;
    }

    /// <summary>Reads and checks the options; all that is wrong is told at once.</summary>
    internal TunnelServerOptions Read(ParseResult parsed)
    {
        var address = MooringHost.ParseAddress(_bind.Name, parsed.GetValue(_bind)!);
        var files = parsed.GetValue(_certificate) is { } file ? new TlsFiles { Certificate = file, Key = parsed.GetValue(_key) } : null;
        var (first, last) = ParsePorts(parsed.GetValue(_ports)!);
        var connections = parsed.GetValue(_connections);
        var options = new TunnelServerOptions
        {
            Control = new IPEndPoint(address, parsed.GetValue(_port)),
            ControlTls = parsed.GetValue(_controlTls) ? files : null,
            Http = new IPEndPoint(address, parsed.GetValue(_httpPort)),
            Https = parsed.GetValue(_httpsPort) is { } secure ? new IPEndPoint(address, secure) : null,
            HttpsTls = files,
            BaseDomain = parsed.GetValue(_domain)!.ToLowerInvariant(),
            PublicUrl = parsed.GetValue(_publicUrl),
            TcpPortFirst = first,
            TcpPortLast = last,
            AllowsRegistration = parsed.GetValue(_register) ? true : null,
            OperatorTokens = parsed.GetValue(_tokens) ?? [],
            AllowedVisitors = parsed.GetValue(_allow) ?? [],
            DeniedVisitors = parsed.GetValue(_deny) ?? [],
            TrustedProxies = parsed.GetValue(_trusted) ?? [],
            ExpectsProxyProtocol = parsed.GetValue(_proxyProtocol),
            Quota = Quota.Default with
            {
                Tunnels = parsed.GetValue(_accountTunnels), Sessions = parsed.GetValue(_accountSessions), RequestsPerSecond = parsed.GetValue(_accountRequests),
                BytesPerDay = parsed.GetValue(_accountBytes),
            },
            AccessLog = parsed.GetValue(_accessLog),
            WarnsVisitors = parsed.GetValue(_warning),
            AbuseContact = parsed.GetValue(_abuse),
            Limits = new TunnelServerLimits { TcpConnectionsMax = connections, TcpConnectionsPerSecond = connections * 2 },
        };
        var errors = new OptionsErrors();
        options.Validate(errors);
        errors.ThrowIfAny("");
        return options;
    }

    private static Option<string[]> Networks(string name, string description) =>
        new(name) { Description = $"{description} May be given more than once.", HelpName = "CIDR" };

    private static Option<int> Count(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && int.TryParse(text, out var number) && number is < 0 or > Quota.RequestsPerSecondMax)
                result.AddError($"{name}: '{text}' is not allowed: 0 to {Quota.RequestsPerSecondMax}");
        });
        return option;
    }

    private (int First, int Last) ParsePorts(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && int.TryParse(text.AsSpan(0, dash), out var first) && int.TryParse(text.AsSpan(dash + 1), out var last)
            ? (first, last)
            : throw new UserErrorException($"{_ports.Name}: '{text}' is not allowed: FIRST-LAST, such as 20000-20999");
    }
}
