using System.CommandLine;
using System.Net;
using Mooring.Cli.Data;
using Mooring.Cli.Hosting;
using Mooring.Cli.Telemetry;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring tunnel serve</c>: the tunnel server alone.</summary>
internal static class TunnelServeVerb
{
    internal static Command Create()
    {
        var command = new Command("serve", "Runs the tunnel server alone.");
        var arguments = TunnelServerArguments.AddTo(command, isAlone: true);
        var adminPort = SharedOptions.OptionalPort("--admin-port", "health, metrics and the admin API on loopback");
        var data = SharedOptions.Data();
        var logLevel = new Option<LogLevel>("--server-log-level")
        {
            Description = "Trace, Debug, Information, Warning, Error or Critical.",
            HelpName = "LEVEL",
            DefaultValueFactory = _ => LogLevel.Information,
        };
        var otlp = OtlpArguments.Create();
        foreach (var option in new Option[] { adminPort, data, logLevel, otlp }) command.Options.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = arguments.Read(parsed);
            using var folder = DataFolder.TakeRole(parsed.GetValue(data)!, "tunnel");
            var host = MooringHost.Create(parsed.GetValue(logLevel));
            OtlpArguments.AddTo(host, parsed, otlp);
            TunnelRole.AddTo(host, options, TunnelRole.Storage(parsed.GetValue(data)!), arguments.PortOption, arguments.HttpPortOption);
            if (parsed.GetValue(adminPort) is { } admin) host.ListenHttp(new Listener("tunnel administration", new IPEndPoint(IPAddress.Loopback, admin), adminPort.Name));
            return await host.RunAsync(
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
}
