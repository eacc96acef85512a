using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Mooring.Web.Readings;
using Mooring.Web.Rows;

namespace Mooring.Web.Live;

/// <summary>All tables of the console.</summary>
internal sealed class LiveTables
{
    private static readonly TimeSpan RatePeriod = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, LiveTable> _byName;

    public LiveTables(IConsoleSource source, ConsoleLimits limits, TimeProvider time)
    {
        var json = WebJson.Default;
        History = new FigureHistory(source, limits, time);
        LiveTable[] all =
        [
            new RowTable<SystemReading>("systems", limits, source.Systems, row => row.Name, json.SystemReading),
            new RowTable<FigureRow>("figures", limits, () => History.Last, row => row.Name, json.FigureRow) { Stamp = () => History.Stamp },
            Cars(source, limits, time),
            new RowTable<AgentReading>("agents", limits, source.Agents, row => row.Id, json.AgentReading),
            new RowTable<OperationReading>(
                "operations", limits, source.Operations, row => row.Id.ToString(CultureInfo.InvariantCulture), json.OperationReading),
            Tunnels(source, limits, time),
            new RowTable<RequestReading>("requests", limits, source.Requests, row => row.Number.ToString(CultureInfo.InvariantCulture), json.RequestReading),
            Rooms(source, limits, time),
            Clients(source, limits, time),
            new RowTable<EventRow>(
                "events", limits, () => source.Events.Recent().Select(EventRow.Of), row => row.Number.ToString(CultureInfo.InvariantCulture), json.EventRow)
            {
                Stamp = () => source.Events.Last,
            },
        ];
        All = all;
        _byName = all.ToDictionary(table => table.Name, StringComparer.Ordinal);
    }

    public IReadOnlyList<LiveTable> All { get; }

    public FigureHistory History { get; }

    public string Names => string.Join(", ", All.Select(table => table.Name));

    public bool TryFind(string name, [NotNullWhen(true)] out LiveTable? table) => _byName.TryGetValue(name, out table);

    private static RowTable<CarRow> Cars(IConsoleSource source, ConsoleLimits limits, TimeProvider time)
    {
        var (statuses, commands) = (new RateMeter(time, RatePeriod), new RateMeter(time, RatePeriod));
        return new RowTable<CarRow>("cars", limits, () => source.Cars().Select(Row), row => row.Name, WebJson.Default.CarRow)
        {
            Forgotten = name =>
            {
                statuses.Forget(name);
                commands.Forget(name);
            },
        };

        CarRow Row(CarReading car) => new(
            car.Name, car.IsEnabled, car.State, car.Session, car.Devices, statuses.Of(car.Name, car.Statuses), commands.Of(car.Name, car.Commands), car.Problem);
    }

    private static RowTable<TunnelRow> Tunnels(IConsoleSource source, ConsoleLimits limits, TimeProvider time)
    {
        var (requests, bytes) = (new RateMeter(time, RatePeriod), new RateMeter(time, RatePeriod));
        return new RowTable<TunnelRow>("tunnels", limits, () => source.Tunnels().Select(Row), row => row.Id, WebJson.Default.TunnelRow)
        {
            Forgotten = id =>
            {
                requests.Forget(id);
                bytes.Forget(id);
            },
        };

        TunnelRow Row(TunnelReading tunnel) => new(
            tunnel.Id, tunnel.Url, tunnel.Protocol, tunnel.Account, tunnel.Client, tunnel.CreatedAt, tunnel.Requests, requests.Of(tunnel.Id, tunnel.Requests),
            bytes.Of(tunnel.Id, tunnel.Bytes));
    }

    private static RowTable<RoomRow> Rooms(IConsoleSource source, ConsoleLimits limits, TimeProvider time)
    {
        var messages = new RateMeter(time, RatePeriod);
        return new RowTable<RoomRow>("rooms", limits, () => source.Rooms().Select(Row), row => row.Name, WebJson.Default.RoomRow) { Forgotten = messages.Forget };

        RoomRow Row(RoomReading room) =>
            new(room.Name, room.Topic, room.Members, room.Paused, room.IsLocked, room.Messages, messages.Of(room.Name, room.Messages));
    }

    private static RowTable<ClientRow> Clients(IConsoleSource source, ConsoleLimits limits, TimeProvider time)
    {
        var (received, sent) = (new RateMeter(time, RatePeriod), new RateMeter(time, RatePeriod));
        return new RowTable<ClientRow>("clients", limits, () => source.Clients().Select(Row), row => row.Id, WebJson.Default.ClientRow)
        {
            Forgotten = id =>
            {
                received.Forget(id);
                sent.Forget(id);
            },
        };

        ClientRow Row(ClientReading client) => new(
            client.Id, client.User, client.Address, client.State, client.Subscriptions, client.Waiting, received.Of(client.Id, client.Received),
            sent.Of(client.Id, client.Sent));
    }
}
