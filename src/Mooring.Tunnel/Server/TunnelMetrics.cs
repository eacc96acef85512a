using System.Diagnostics.Metrics;

namespace Mooring.Tunnel.Server;

/// <summary>Counts of a tunnel server, on meter <c>Mooring.Tunnel</c>.</summary>
internal sealed class TunnelMetrics : IDisposable
{
    private readonly Meter _meter = new("Mooring.Tunnel");
    private readonly Counter<long> _streams;
    private readonly UpDownCounter<long> _open;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _refusedClients;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _authentication;

    public TunnelMetrics()
    {
        _streams = _meter.CreateCounter<long>("mooring.tunnel.streams", description: "Visitors' requests and connections");
        _open = _meter.CreateUpDownCounter<long>("mooring.tunnel.streams.open", description: "Requests and connections under way");
        _rejected = _meter.CreateCounter<long>("mooring.tunnel.rejected", description: "Visitors that were not served, by reason");
        _bytes = _meter.CreateCounter<long>("mooring.tunnel.bytes", "By", "Payload bytes, by direction as visitors see it");
        _refusedClients = _meter.CreateCounter<long>("mooring.tunnel.clients.refused", description: "Clients that were not let in, by reason");
        _duration = _meter.CreateHistogram<double>("mooring.tunnel.request.duration", "s", "Requests of visitors, from their arrival to their end");
        _authentication = _meter.CreateHistogram<double>("mooring.tunnel.authentication.duration", "s", "Looking a token up");
    }

    public void Observe(Func<int> sessions, Func<int> tunnels)
    {
        _meter.CreateObservableGauge("mooring.tunnel.sessions", sessions, description: "Connected clients");
        _meter.CreateObservableGauge("mooring.tunnel.tunnels", tunnels, description: "Tunnels");
    }

    public void Opened(string mode)
    {
        _streams.Add(1, new KeyValuePair<string, object?>("mode", mode));
        _open.Add(1, new KeyValuePair<string, object?>("mode", mode));
    }

    public void Closed(string mode) => _open.Add(-1, new KeyValuePair<string, object?>("mode", mode));

    public void Rejected(string reason) => _rejected.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void RefusedClient(string reason) => _refusedClients.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Finished(TimeSpan duration, long bytesIn, long bytesOut)
    {
        _duration.Record(duration.TotalSeconds);
        if (bytesIn > 0) _bytes.Add(bytesIn, new KeyValuePair<string, object?>("direction", "in"));
        if (bytesOut > 0) _bytes.Add(bytesOut, new KeyValuePair<string, object?>("direction", "out"));
    }

    public void Authenticated(TimeSpan duration) => _authentication.Record(duration.TotalSeconds);

    public void Dispose() => _meter.Dispose();
}
