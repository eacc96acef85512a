using Mooring.Chat;
using Mooring.Chat.Api;
using Mooring.Edge.Hub;
using Mooring.Fleet;
using Mooring.Kernel.Events;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Api;
using Mooring.Tunnel.Server;
using Mooring.Web;
using Mooring.Web.Readings;

namespace Mooring.Cli.Hosting;

/// <summary>The console as a part of a host: what it shows comes from the slices, which know nothing of it.</summary>
internal static class ConsoleRole
{
    /// <summary>Adds the console, and the events of all systems that it and the bridges show. Before the slices, which report to them.</summary>
    internal static void AddTo(MooringHost host)
    {
        host.Services.AddSingleton<OperatorEvents>();
        host.Services.AddSingleton<IConsoleSource>(services => new Source(services));
        host.Services.AddConsole().AddMqttBrokerApi().AddChatOperatorApi();
    }

    /// <summary>Serves the console, and the operator APIs of the systems that are part of this process.</summary>
    internal static void Map(WebApplication application)
    {
        if (application.Services.GetService<MqttBroker>() is not null) application.MapMqttBrokerApi();
        if (application.Services.GetService<ChatServer>() is not null) application.MapChatOperatorApi();
        application.MapConsole();
    }

    private sealed class Source(IServiceProvider services) : IConsoleSource
    {
        private readonly FleetServer? _fleet = services.GetService<FleetServer>();
        private readonly ChatServer? _chat = services.GetService<ChatServer>();
        private readonly TunnelServer? _tunnel = services.GetService<TunnelServer>();
        private readonly MqttBroker? _broker = services.GetService<MqttBroker>();
        private readonly Readiness[] _systems = [.. services.GetServices<Readiness>()];

        public OperatorEvents Events { get; } = services.GetRequiredService<OperatorEvents>();

        public IEnumerable<SystemReading> Systems() => _systems.Select(system => new SystemReading(system.Name, system.Problem()));

        public IEnumerable<CarReading> Cars() => Here(_fleet, "fleet").Cars.Select(car => new CarReading(car.Name, car.IsEnabled, car.State.ToString())
        {
            Session = car.Session,
            Devices = car.Devices,
            Statuses = car.Statuses,
            Commands = car.Commands,
            Problem = car.Problem,
        });

        public IEnumerable<AgentReading> Agents() => Hub().EdgeAgents().Select(agent => new AgentReading(agent.Id, agent.Name, agent.Presence)
        {
            Version = agent.Load?.Version,
            Cpu = agent.Load?.Cpu ?? 0,
            Memory = agent.Load?.Memory ?? 0,
            MemoryTotal = agent.Load?.MemoryTotal ?? 0,
            Disk = agent.Load?.Disk ?? 0,
            DiskTotal = agent.Load?.DiskTotal ?? 0,
        });

        public IEnumerable<OperationReading> Operations() => Hub().EdgeOperations().Select(o => new OperationReading(
            o.Id, o.Agent, o.Device, o.Topic, o.State, o.Step, o.Error, o.StartedAt, o.UpdatedAt));

        public IEnumerable<TunnelReading> Tunnels() => Here(_tunnel, "tunnel").Tunnels.Select(t => new TunnelReading(
            t.Id, t.Url, t.Protocol, t.Account, t.Client, t.Created, t.Requests, t.Bytes));

        public IEnumerable<RequestReading> Requests() => Here(_tunnel, "tunnel").Visits.Select(v => new RequestReading(
            v.Number, v.At, v.Tunnel, v.Method, v.Path, v.Status, Math.Round(v.Duration.TotalMilliseconds, 1), v.Visitor, v.Bytes));

        public IEnumerable<RoomReading> Rooms() => Here(_chat, "chat").Rooms.Select(room => new RoomReading(
            room.Name, room.Topic, room.Members, room.Paused, room.IsLocked, room.Messages));

        public IEnumerable<ClientReading> Clients() => Here(_broker, "broker").View.Clients(take: MqttBrokerView.PageMax).Select(client => new ClientReading(
            client.ClientId, client.UserName, client.RemoteEndPoint, client.IsLocal ? "local" : client.IsConnected ? "connected" : "away",
            client.Subscriptions, client.Waiting, client.MessagesReceived, client.MessagesSent));

        public IEnumerable<FigureReading> Figures() =>
        [
            .. _fleet is null ? [] : FleetFigures(_fleet),
            .. _broker is null ? [] : BrokerFigures(_broker.View.Statistics()),
            .. _chat is null ? [] : ChatFigures(_chat),
            .. _tunnel is null ? [] : TunnelFigures(_tunnel),
            .. HasHub && services.ProblemOfEdgeHub() is null ? EdgeFigures() : [],
            new FigureReading("memory", Math.Round(Environment.WorkingSet / (1024.0 * 1024))),
            new FigureReading("processor", Environment.CpuUsage.TotalTime.TotalMilliseconds / 10, IsTotal: true),
        ];

        private bool HasHub => _systems.Any(system => system.Name == "hub");

        private IServiceProvider Hub() => HasHub ? services : throw Missing("hub");

        private static T Here<T>(T? system, string name)
            where T : class => system ?? throw Missing(name);

        private static InvalidOperationException Missing(string name) => new($"the {name} is not a part of this process");

        private static IEnumerable<FigureReading> ChatFigures(ChatServer chat) =>
        [
            new("chat.rooms", chat.Rooms.Count()), new("chat.clients", chat.Clients), new("chat.messages", chat.Messages, IsTotal: true),
        ];

        private static IEnumerable<FigureReading> TunnelFigures(TunnelServer tunnel) =>
            [new("tunnels", tunnel.Tunnels.Count()), new("tunnel.requests", tunnel.VisitCount, IsTotal: true)];

        private static IEnumerable<FigureReading> BrokerFigures(MqttBrokerStatistics broker) =>
        [
            new("broker.clients", broker.Connections), new("broker.local", broker.LocalClients), new("broker.subscriptions", broker.Subscriptions),
            new("broker.retained", broker.RetainedMessages), new("broker.received", broker.MessagesReceived, IsTotal: true),
            new("broker.sent", broker.MessagesSent, IsTotal: true),
        ];

        private static IEnumerable<FigureReading> FleetFigures(FleetServer fleet)
        {
            int all = 0, running = 0, failed = 0;
            long statuses = 0, commands = 0;
            foreach (var car in fleet.Cars)
            {
                all++;
                if (car.Session is not null) running++;
                if (car.Problem is not null) failed++;
                statuses += car.Statuses;
                commands += car.Commands;
            }
            yield return new FigureReading("cars", all);
            yield return new FigureReading("cars.running", running);
            yield return new FigureReading("cars.failed", failed);
            yield return new FigureReading("fleet.statuses", statuses, IsTotal: true);
            yield return new FigureReading("fleet.commands", commands, IsTotal: true);
        }

        private IEnumerable<FigureReading> EdgeFigures()
        {
            int all = 0, online = 0;
            foreach (var agent in services.EdgeAgents())
            {
                all++;
                if (agent.Presence == "online") online++;
            }
            yield return new FigureReading("agents", all);
            yield return new FigureReading("agents.online", online);
        }
    }
}
