using Mooring.Kernel.Events;

namespace Mooring.Web.Readings;

/// <summary>
/// What the console shows, as it is now. Every method is called several times a second while somebody looks, from one thread at a time; one
/// that throws greys its own panel and nothing else.
/// </summary>
public interface IConsoleSource
{
    /// <summary>What happens in all systems.</summary>
    OperatorEvents Events { get; }

    /// <summary>The systems of this process and whether they are well.</summary>
    IEnumerable<SystemReading> Systems();

    /// <summary>The figures of the overview.</summary>
    IEnumerable<FigureReading> Figures();

    /// <summary>All cars.</summary>
    IEnumerable<CarReading> Cars();

    /// <summary>All agents.</summary>
    IEnumerable<AgentReading> Agents();

    /// <summary>What agents are doing, or did last.</summary>
    IEnumerable<OperationReading> Operations();

    /// <summary>All open tunnels.</summary>
    IEnumerable<TunnelReading> Tunnels();

    /// <summary>The last requests of visitors, the oldest first.</summary>
    IEnumerable<RequestReading> Requests();

    /// <summary>All chat rooms.</summary>
    IEnumerable<RoomReading> Rooms();

    /// <summary>The broker's sessions.</summary>
    IEnumerable<ClientReading> Clients();
}
