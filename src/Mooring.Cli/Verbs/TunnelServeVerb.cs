using System.CommandLine;
using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring tunnel serve</c>: the tunnel server alone.</summary>
internal static class TunnelServeVerb
{
    internal static Command Create()
    {
        var bind = SharedOptions.Bind();
        var port = SharedOptions.Port("--port", 6400, "clients and the REST API");
        var httpPort = SharedOptions.Port("--http-port", 6480, "visitors with HTTP");
        var httpsPort = SharedOptions.OptionalPort("--https-port", "a listener for visitors with HTTPS");
        var adminPort = SharedOptions.OptionalPort("--admin-port", "health, metrics and the admin API on loopback");
        var certificate = new Option<string?>("--tls-cert") { Description = "PEM file of the certificate, a wildcard of the base domain.", HelpName = "FILE" };
        var key = new Option<string?>("--tls-key") { Description = "PEM file of its key.", HelpName = "FILE" };
        var controlTls = new Option<bool>("--control-tls") { Description = "Clients come in over TLS too, with the same certificate." };
        var domain = new Option<string>("--base-domain") { Description = "Tunnels are names under this domain.", HelpName = "DOMAIN", DefaultValueFactory = _ => "localhost" };
        var publicUrl = new Option<string?>("--public-url") { Description = "Scheme and port of public addresses behind a proxy, such as https://*.", HelpName = "URL" };
        var ports = new Option<string>("--tcp-ports") { Description = "Ports for TCP tunnels.", HelpName = "FIRST-LAST", DefaultValueFactory = _ => "20000-20999" };
        var tokens = new Option<string[]>("--token") { Description = "An operator's token; it may do everything. May be given more than once.", HelpName = "TOKEN" };
        var register = new Option<bool>("--open-registration") { Description = "Anybody may make an account, not only clients of this machine." };
        var allow = Networks("--allow", "Networks that visitors may come from.");
        var deny = Networks("--deny", "Networks that visitors may not come from.");
        var trusted = Networks("--trusted-proxy", "Proxies whose forwarding fields are believed.");
        var connections = new Option<int>("--tcp-connections") { Description = "Visitors' connections to a TCP tunnel at a time.", HelpName = "N", DefaultValueFactory = _ => new TunnelServerLimits().TcpConnectionsMax };
        var accessLog = new Option<string?>("--access-log") { Description = "File for one line of JSON per request.", HelpName = "FILE" };
        var data = SharedOptions.Data();
        var logLevel = new Option<LogLevel>("--server-log-level")
        {
            Description = "Trace, Debug, Information, Warning, Error or Critical.",
            HelpName = "LEVEL",
            DefaultValueFactory = _ => LogLevel.Information,
        };
        var command = new Command("serve", "Runs the tunnel server alone.")
        {
            bind, port, httpPort, httpsPort, adminPort, certificate, key, controlTls, domain, publicUrl, ports, tokens, register, allow, deny, trusted,
            connections, accessLog, data, logLevel,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var address = MooringHost.ParseAddress("--bind", parsed.GetValue(bind)!);
            var files = parsed.GetValue(certificate) is { } file ? new TlsFiles { Certificate = file, Key = parsed.GetValue(key) } : null;
            var (first, last) = ParsePorts(parsed.GetValue(ports)!);
            var options = new TunnelServerOptions
            {
                Control = new IPEndPoint(address, parsed.GetValue(port)),
                ControlTls = parsed.GetValue(controlTls) ? files : null,
                Http = new IPEndPoint(address, parsed.GetValue(httpPort)),
                Https = parsed.GetValue(httpsPort) is { } secure ? new IPEndPoint(address, secure) : null,
                HttpsTls = files,
                BaseDomain = parsed.GetValue(domain)!.ToLowerInvariant(),
                PublicUrl = parsed.GetValue(publicUrl),
                TcpPortFirst = first,
                TcpPortLast = last,
                AllowsRegistration = parsed.GetValue(register) ? true : null,
                OperatorTokens = parsed.GetValue(tokens) ?? [],
                AllowedVisitors = parsed.GetValue(allow) ?? [],
                DeniedVisitors = parsed.GetValue(deny) ?? [],
                TrustedProxies = parsed.GetValue(trusted) ?? [],
                AccessLog = parsed.GetValue(accessLog),
                Limits = new TunnelServerLimits { TcpConnectionsMax = parsed.GetValue(connections), TcpConnectionsPerSecond = parsed.GetValue(connections) * 2 },
            };
            var errors = new OptionsErrors();
            options.Validate(errors);
            errors.ThrowIfAny("");
            var host = MooringHost.Create(parsed.GetValue(logLevel));
            TunnelRole.AddTo(host, options, TunnelRole.Storage(parsed.GetValue(data)!), "--port", "--http-port");
            if (parsed.GetValue(adminPort) is { } admin) host.ListenHttp(new Listener("tunnel administration", new IPEndPoint(IPAddress.Loopback, admin), "--admin-port"));
            return host.RunAsync(
                application =>
                {
                    application.MapHealth();
                    application.MapTunnelServer();
                    application.MapTunnelAdmin();
                },
                application =>
                {
                    var table = new AddressTable();
                    TunnelRole.Describe(application.Services, table);
                    table.Print("The tunnel server is up.");
                },
                cancellationToken);
        });
        return command;
    }

    private static Option<string[]> Networks(string name, string description) =>
        new(name) { Description = $"{description} May be given more than once.", HelpName = "CIDR" };

    private static (int First, int Last) ParsePorts(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && int.TryParse(text.AsSpan(0, dash), out var first) && int.TryParse(text.AsSpan(dash + 1), out var last)
            ? (first, last)
            : throw new UserErrorException($"--tcp-ports: '{text}' is not allowed: FIRST-LAST, such as 20000-20999");
    }
}
