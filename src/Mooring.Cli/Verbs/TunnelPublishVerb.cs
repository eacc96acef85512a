using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Inspection;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring tunnel http PORT</c> and <c>tcp PORT</c>.</summary>
internal static class TunnelPublishVerb
{
    internal static Command CreateHttp(TunnelSharedOptions shared)
    {
        var port = Port();
        var subdomain = new Option<string?>("--subdomain", "-s") { Description = "Name wanted.", HelpName = "NAME" };
        var hostname = new Option<string?>("--hostname", "-H") { Description = "A registered host name of your own.", HelpName = "HOST" };
        var auth = new Option<string?>("--auth", "-a") { Description = "Visitors must give this user and password.", HelpName = "USER:PASS" };
        var spa = new Option<bool>("--spa") { Description = "A name of the server's choice under a path." };
        var hostHeader = new Option<string?>("--host-header")
        {
            Description = "The Host that the application sees: rewrite (its own address, the default), preserve (the visitor's), or any value.",
            HelpName = "VALUE",
        };
        var http2 = new Option<bool>("--http2") { Description = "The application speaks HTTP/2 without TLS, as gRPC servers do." };
        var localHost = new Option<string?>("--local-host") { Description = "Host of the application, when it is not this machine.", HelpName = "HOST" };
        var inspect = new Option<int?>("--inspect")
        {
            Description = $"Keeps the last requests and shows them at http://127.0.0.1:PORT, where they can be sent again; {InspectorEndpoints.DefaultPort} is common.",
            HelpName = "PORT",
        };
        inspect.Validators.Add(result => CheckPort(result, "--inspect"));
        var connection = new TunnelConnectionOptions();
        var command = new Command("http", "Publishes a local HTTP service.") { port, subdomain, hostname, auth, spa, hostHeader, http2, localHost, inspect };
        connection.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(auth) is { } value && !value.Contains(':', StringComparison.Ordinal)) result.AddError($"--auth: use USER:PASS");
            if (result.GetValue(hostname) is not null && (result.GetValue(subdomain) is not null || result.GetValue(spa)))
                result.AddError("--hostname cannot be used with --subdomain or --spa");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            var definition = new TunnelDefinition
            {
                LocalPort = parsed.GetValue(port),
                LocalHost = parsed.GetValue(localHost),
                Subdomain = parsed.GetValue(subdomain),
                Hostname = parsed.GetValue(hostname),
                IsSpa = parsed.GetValue(spa),
                Auth = parsed.GetValue(auth) ?? Environment.GetEnvironmentVariable("RETUNNEL_BASIC_AUTH"),
                HostHeader = parsed.GetValue(hostHeader) is { } header and not "rewrite" ? header : null,
                IsHttp2 = parsed.GetValue(http2),
            };
            return TunnelRunner.RunAsync(connection.Read(parsed), [definition], shared.Output(parsed), cancellationToken, inspectPort: parsed.GetValue(inspect));
        });
        return command;
    }

    internal static Command CreateTcp(TunnelSharedOptions shared)
    {
        var port = Port();
        var remotePort = new Option<int?>("--remote-port", "-r") { Description = "Public port wanted.", HelpName = "PORT" };
        remotePort.Validators.Add(result => CheckPort(result, "--remote-port"));
        var localHost = new Option<string?>("--local-host") { Description = "Host of the application, when it is not this machine.", HelpName = "HOST" };
        var proxy = new Option<int?>("--proxy-protocol") { Description = "Tells the service each visitor's address with a PROXY protocol header, version 1 or 2.", HelpName = "1|2" };
        proxy.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("1" or "2") and var value }]) result.AddError($"--proxy-protocol: '{value}' is not allowed: 1 or 2");
        });
        var connection = new TunnelConnectionOptions();
        var command = new Command("tcp", "Publishes a local TCP service.") { port, remotePort, localHost, proxy };
        connection.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var definition = new TunnelDefinition
            {
                Protocol = TunnelProtocol.Tcp,
                LocalPort = parsed.GetValue(port),
                LocalHost = parsed.GetValue(localHost),
                RemotePort = parsed.GetValue(remotePort),
                ProxyProtocol = parsed.GetValue(proxy),
            };
            return TunnelRunner.RunAsync(connection.Read(parsed), [definition], shared.Output(parsed), cancellationToken);
        });
        return command;
    }

    private static Argument<int> Port()
    {
        var port = new Argument<int>("PORT") { Description = "Port of the local service, 1 to 65535." };
        port.Validators.Add(result => CheckPort(result, "PORT"));
        return port;
    }

    private static void CheckPort(SymbolResult result, string name)
    {
        if (result.Tokens is [{ Value: var value }] && !(int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65_535))
            result.AddError($"{name}: '{value}' is not allowed: 1 to 65535");
    }
}
