using Mooring.Kernel.Events;
using Mooring.Web.Readings;

namespace Mooring.Web.Tests;

/// <summary>Whatever a test wants to be shown.</summary>
internal sealed class TestSource : IConsoleSource
{
    public OperatorEvents Events { get; init; } = new(TimeProvider.System);

    public Func<IEnumerable<SystemReading>> SystemsNow { get; set; } = () => [new("fleet", null), new("hub", null), new("chat", null), new("tunnel", null), new("mqtt", null)];

    public Func<IEnumerable<FigureReading>> FiguresNow { get; set; } = () => [new("cars", 1)];

    public Func<IEnumerable<CarReading>> CarsNow { get; set; } = () => [];

    public Func<IEnumerable<AgentReading>> AgentsNow { get; set; } = () => [];

    public Func<IEnumerable<OperationReading>> OperationsNow { get; set; } = () => [];

    public Func<IEnumerable<TunnelReading>> TunnelsNow { get; set; } = () => [];

    public Func<IEnumerable<RequestReading>> RequestsNow { get; set; } = () => [];

    public Func<IEnumerable<RoomReading>> RoomsNow { get; set; } = () => [];

    public Func<IEnumerable<ClientReading>> ClientsNow { get; set; } = () => [];

    public IEnumerable<SystemReading> Systems() => SystemsNow();

    public IEnumerable<FigureReading> Figures() => FiguresNow();

    public IEnumerable<CarReading> Cars() => CarsNow();

    public IEnumerable<AgentReading> Agents() => AgentsNow();

    public IEnumerable<OperationReading> Operations() => OperationsNow();

    public IEnumerable<TunnelReading> Tunnels() => TunnelsNow();

    public IEnumerable<RequestReading> Requests() => RequestsNow();

    public IEnumerable<RoomReading> Rooms() => RoomsNow();

    public IEnumerable<ClientReading> Clients() => ClientsNow();
}
