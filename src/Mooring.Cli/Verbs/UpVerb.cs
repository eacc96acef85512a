using System.CommandLine;
using System.Net;
using Mooring.Chat;
using Mooring.Cli.Configuration;
using Mooring.Cli.Data;
using Mooring.Cli.Hosting;
using Mooring.Cli.Hosting.Bridges;
using Mooring.Cli.Telemetry;
using Mooring.Fleet;
using Mooring.Edge.Hub;
using Mooring.Fleet.Api;
using Mooring.Mqtt.Broker;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring up</c>: every role that exists, in one process.</summary>
internal static class UpVerb
{
    internal static Command Create()
    {
        var command = new Command("up", "Runs everything on this machine, on loopback.");
        var arguments = UpArguments.AddTo(command);
        command.SetAction(async (typed, cancellationToken) =>
        {
            var reader = arguments.Reader();
            var configuration = reader.Read(typed);
            foreach (var warning in configuration.Warnings) await Console.Error.WriteLineAsync($"mooring: warning: {warning}");
            using var folder = DataFolder.Take(arguments.DataFolder(configuration.Parsed));
            var options = arguments.Read(configuration.Parsed);
            var host = MooringHost.Create(options.LogLevel, jsonLog: options.HasJsonLog);
            if (options.Otlp is { } otlp) OtlpExport.AddTo(host, otlp);
            var reload = new ConfigurationReload(reader, typed, configuration);
            reload.AddTo(host, (parsed, services) =>
            {
                services.GetRequiredService<RunningLogLevel>().Level = arguments.LevelOfLog(parsed);
                services.GetService<ChatBridge>()?.Reload(arguments.Bridges.Read(parsed));
            });
            ConsoleRole.AddTo(host);
            var agents = AddRoles(host, arguments, options, reload);
            Action<AddressTable, string> describeAgent = options is { IsDemo: true, Hub: not null }
                ? await DemoAgent.AddToAsync(host, options.Hub, agents, options.DataFolder, cancellationToken)
                : (_, _) => { };
            if (options.IsDemo) DemoTraffic.AddTo(host, options.DataFolder);
            OpenApiDescription.AddTo(host);
            var http = await AccessRole.AddToAsync(host, options.Http, options.DataFolder, arguments.Http.PortOption, cancellationToken);
            return await host.RunAsync(
                application => Map(application, options), application => PrintTable(application, options, options.Http.UrlOf(http()), agents(), describeAgent), cancellationToken);
        });
        return command;
    }

    /// <returns>Tells where agents connect to.</returns>
    private static Func<IPEndPoint> AddRoles(MooringHost host, UpArguments arguments, UpOptions options, ConfigurationReload reload)
    {
        if (options.Broker is { } broker)
            BrokerRole.AddTo(host, broker, () => arguments.Broker.Read(reload.Latest(), options.DataFolder), listener => arguments.Broker.PortOption(reload.Latest(), listener));
        if (options.Fleet is { } fleet) UpFleet.AddTo(host, fleet, () => arguments.ReadFleet(reload.Latest()), options.IsDemo, options.Broker is not null);
        if (options.Chat is { } chat) ChatRole.AddTo(host, chat, () => arguments.ReadChat(reload.Latest()), UpChat.PortOptions);
        if (options.Chat is not null) BridgeRole.AddTo(host, options.Bridges, options.Hub is not null);
        if (options.Tunnel is { } tunnel)
            TunnelRole.AddTo(host, tunnel, TunnelRole.Storage(options.DataFolder), arguments.Tunnel.PortOption, arguments.Tunnel.HttpPortOption);
        return options.Hub is { } hub ? EdgeHubRole.AddTo(host, hub, arguments.Hub.PortOption) : () => new IPEndPoint(IPAddress.Loopback, 0);
    }

    private static void Map(WebApplication application, UpOptions options)
    {
        application.UseAccess();
        if (options.Hub is not null) application.UseEdgeHub();
        application.MapHealth();
        application.MapLogLevel();
        application.MapDescription();
        if (options.Fleet is not null) application.MapFleetApi();
        ConsoleRole.Map(application);
        if (options.Tunnel is null) return;
        application.MapTunnelServer();
        application.MapTunnelAdmin();
    }

    private static void PrintTable(
        WebApplication application, UpOptions options, string http, IPEndPoint agents, Action<AddressTable, string> describeAgent)
    {
        var table = new AddressTable();
        if (options.Broker is not null) BrokerRole.Describe(application.Services.GetRequiredService<MqttBroker>(), table);
        if (options.Fleet is not null) UpFleet.Describe(application.Services.GetRequiredService<FleetServer>(), http, table);
        if (options.Chat is not null) ChatRole.Describe(application.Services.GetRequiredService<ChatServer>(), table);
        if (options.Tunnel is not null) TunnelRole.Describe(application.Services, table);
        if (options.Hub is { } hub) EdgeHubRole.Describe(hub, agents, http, table);
        describeAgent(table, http);
        AccessRole.Describe(options.Http, table);
        table.Add("console", $"{http}/", "open it in a browser");
        table.Add("operator API", $"{http}/api", $"curl {http}/api/openapi.json");
        table.Add("health", $"{http}/health/ready", $"curl {http}/health/ready");
        table.Add("metrics", $"{http}/metrics", $"curl {http}/metrics");
        table.Print("Mooring is up.");
    }
}
