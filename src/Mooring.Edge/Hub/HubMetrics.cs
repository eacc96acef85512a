using System.Diagnostics.Metrics;

namespace Mooring.Edge.Hub;

/// <summary>Counts of a hub, on meter <c>Mooring.Edge</c>.</summary>
internal sealed class HubMetrics : IDisposable
{
    private readonly Meter _meter = new("Mooring.Edge");
    private readonly Counter<long> _beats;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _events;
    private readonly Histogram<double> _calls;

    public HubMetrics()
    {
        _beats = _meter.CreateCounter<long>("mooring.edge.heartbeats", "{heartbeat}", "Heartbeats of agents");
        _refused = _meter.CreateCounter<long>("mooring.edge.agents.refused", "{connection}", "Connections of agents that were not let in");
        _events = _meter.CreateCounter<long>("mooring.edge.events", "{event}", "What agents told of their own accord, by kind");
        _calls = _meter.CreateHistogram<double>("mooring.edge.call.duration", "s", "Calls of agents' topics, by topic and HTTP status");
    }

    public void Observe(Func<int> connected, Func<int> enrolled)
    {
        _meter.CreateObservableUpDownCounter("mooring.edge.agents.connected", connected, "{agent}", "Agents that are connected");
        _meter.CreateObservableUpDownCounter("mooring.edge.agents.enrolled", enrolled, "{agent}", "Agents that are enrolled");
    }

    public void Beat() => _beats.Add(1);

    public void Refused() => _refused.Add(1);

    public void Told(string kind) => _events.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void Called(string topic, int status, TimeSpan took) =>
        _calls.Record(took.TotalSeconds, new KeyValuePair<string, object?>("topic", topic), new KeyValuePair<string, object?>("status", status));

    public void Dispose() => _meter.Dispose();
}
