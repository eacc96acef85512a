using System.CommandLine;
using System.Net;
using Mooring.Chat;
using Mooring.Cli.Hosting;
using Mooring.Edge.Hub;
using Mooring.Fleet;
using Mooring.Fleet.Api;
using Mooring.Mqtt.Broker;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring up</c>: every role that exists, in one process.</summary>
internal static class UpVerb
{
    internal static Command Create()
    {
        var httpPort = SharedOptions.Port("--http-port", 7700, "health, metrics and the operator API");
        var data = SharedOptions.Data();
        var logLevel = SharedOptions.LogLevels(LogLevel.Warning);
        var demo = new Option<bool>("--demo") { Description = "Adds virtual cars and, where a container engine answers, an edge agent, so that there is something to look at." };
        var command = new Command("up", "Runs everything on this machine, on loopback.") { demo, httpPort, data, logLevel };
        var broker = BrokerArguments.AddTo(command, isAlone: false);
        var fleet = UpFleet.AddTo(command);
        var chat = UpChat.AddTo(command);
        var tunnel = UpTunnel.AddTo(command);
        var hub = HubArguments.AddTo(command, isAlone: false);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            MqttBrokerOptions ReadBroker() => broker.Read(parsed, parsed.GetValue(data)!);
            var brokerOptions = ReadBroker();
            var host = MooringHost.Create(parsed.GetValue(logLevel));
            BrokerRole.AddTo(host, brokerOptions, ReadBroker, listener => broker.PortOption(parsed, listener));
            fleet.AddTo(host, parsed, parsed.GetValue(data)!, parsed.GetValue(demo));
            chat.AddTo(host, parsed, parsed.GetValue(data)!);
            tunnel.AddTo(host, parsed, parsed.GetValue(data)!);
            var hubOptions = hub.Read(parsed, parsed.GetValue(data));
            var agents = EdgeHubRole.AddTo(host, hubOptions, hub.PortOption);
            Action<AddressTable, string> describeAgent = parsed.GetValue(demo)
                ? await DemoAgent.AddToAsync(host, hubOptions, agents, parsed.GetValue(data)!, cancellationToken)
                : (_, _) => { };
            OpenApiDescription.AddTo(host);
            var http = host.ListenHttp(
                new Listener("health and metrics", new IPEndPoint(IPAddress.Loopback, parsed.GetValue(httpPort)), "--http-port"));
            return await host.RunAsync(Map, application => PrintTable(application, http(), hubOptions, agents(), describeAgent), cancellationToken);
        });
        return command;
    }

    private static void Map(WebApplication application)
    {
        application.UseEdgeHub();
        application.MapHealth();
        application.MapDescription();
        application.MapFleetApi();
        application.MapTunnelServer();
        application.MapTunnelAdmin();
    }

    private static void PrintTable(WebApplication application, IPEndPoint http, HubOptions hub, IPEndPoint agents, Action<AddressTable, string> describeAgent)
    {
        var table = new AddressTable();
        BrokerRole.Describe(application.Services.GetRequiredService<MqttBroker>(), table);
        UpFleet.Describe(application.Services.GetRequiredService<FleetServer>(), $"http://{http}", table);
        UpChat.Describe(application.Services.GetRequiredService<ChatServer>(), table);
        TunnelRole.Describe(application.Services, table);
        EdgeHubRole.Describe(hub, agents, $"http://{http}", table);
        describeAgent(table, $"http://{http}");
        table.Add("operator API", $"http://{http}/api", $"curl http://{http}/api/openapi.json");
        table.Add("health", $"http://{http}/health/ready", $"curl http://{http}/health/ready");
        table.Add("metrics", $"http://{http}/metrics", $"curl http://{http}/metrics");
        table.Print("Mooring is up.");
    }
}
