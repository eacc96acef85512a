using System.Diagnostics.Metrics;
using Mooring.Fleet.Cars;

namespace Mooring.Fleet;

/// <summary>Counts of all cars, on meter <c>Mooring.Fleet</c>. Single cars are in the operator's API.</summary>
internal sealed class FleetMetrics : IDisposable
{
    private readonly Meter _meter = new("Mooring.Fleet");
    private readonly FleetServer _server;
    private readonly Lock _lock = new();
    private readonly CarCounters _gone = new();

    internal FleetMetrics(FleetServer server)
    {
        _server = server;
        _meter.CreateObservableUpDownCounter("mooring.fleet.cars", CountStates, "{car}", "Cars, by state");
        _meter.CreateObservableUpDownCounter("mooring.fleet.links", () => server.LinkCount, "{connection}", "Connections to the broker");
        Count("sessions", "Connect sequences that were completed", c => c.Sessions);
        Count("sessions.failed", "Sessions and connect sequences that ended by a fault", c => c.SessionsFailed);
        Count("statuses", "Statuses received", c => c.StatusesReceived);
        Count("statuses.answered", "Statuses answered", c => c.StatusesAnswered);
        Count("statuses.ignored", "Statuses of foreign sessions, repeated, or that no module took", c => c.StatusesIgnored);
        Count("commands", "Commands sent", c => c.CommandsSent);
        Count("commands.delivered", "Commands that a gateway took", c => c.CommandsDelivered);
        Count("commands.undelivered", "Commands that were refused, dropped or not answered", c => c.CommandsUndelivered);
        Count("messages.refused", "Messages that were no message, too large or too many", c => c.MessagesRefused);
        Count("messages.dropped", "Messages that came faster than they were handled", c => c.MessagesDropped);
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>A counter must not fall when a car leaves.</summary>
    internal void Keep(CarCounters gone)
    {
        lock (_lock) _gone.Add(gone);
    }

    private void Count(string name, string description, Func<CarCounters, long> of) =>
        _meter.CreateObservableCounter($"mooring.fleet.{name}", () => of(Sum()), description: description);

    private CarCounters Sum()
    {
        var sum = new CarCounters();
        lock (_lock) sum.Add(_gone);
        foreach (var (_, seat) in _server.Seats)
            if (seat.Car is { } car) sum.Add(car.Counters);
        return sum;
    }

    private IEnumerable<Measurement<int>> CountStates() => _server.Seats.Values
        .GroupBy(s => s.State)
        .Select(g => new Measurement<int>(g.Count(), new KeyValuePair<string, object?>("state", g.Key.ToString().ToLowerInvariant())));
}
