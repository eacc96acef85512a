using System.Buffers;
using System.Diagnostics.Metrics;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Kernel.Metrics;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>What the agent knows of itself and of its devices, for Prometheus. Nothing is counted for it: it reads what is there when it is asked.</summary>
internal sealed class AgentMetrics : IDisposable
{
    internal const string MeterName = "Mooring.Edge.Agent";

    private readonly Meter _meter = new(MeterName);
    private readonly PrometheusExporter _exporter;

    /// <summary>Begins.</summary>
    /// <param name="isUp">Whether the hub has let the agent in.</param>
    /// <param name="connections">How often it has.</param>
    /// <param name="state">The devices.</param>
    /// <param name="operations">What is under way.</param>
    /// <param name="loads">The devices' loads.</param>
    /// <param name="monitor">The network monitor.</param>
    public AgentMetrics(Func<bool> isUp, Func<long> connections, AgentState state, OperationTable operations, LoadRecorder loads, INetworkMonitor monitor)
    {
        _exporter = new PrometheusExporter(new PrometheusOptions { Meters = [MeterName] }, meter => ReferenceEquals(meter, _meter));
        _meter.CreateObservableGauge("mooring.agent.hub.connected", () => isUp() ? 1 : 0, description: "Whether the hub has let the agent in.");
        _meter.CreateObservableCounter("mooring.agent.hub.connections", connections, "{connection}", "How often the hub has let the agent in.");
        _meter.CreateObservableGauge("mooring.agent.monitor.connected", () => monitor.IsConnected ? 1 : 0, description: "Whether the network monitor is there.");
        _meter.CreateObservableGauge("mooring.agent.devices", () => state.Devices.Snapshot().Count, "{device}", "Devices that are registered.");
        _meter.CreateObservableGauge("mooring.agent.operations", () => CountOf(operations), "{operation}", "Operations on devices that run, and those that failed last.");
        _meter.CreateObservableGauge("mooring.agent.device.cpu", () => Each(loads, reading => reading.CpuPercent), "%", "Percent of one processor in the last five seconds.");
        _meter.CreateObservableGauge("mooring.agent.device.memory", () => Each(loads, reading => reading.MemoryBytes), "By", "Memory without caches that could be dropped.");
        _meter.CreateObservableCounter("mooring.agent.device.received", () => Each(loads, reading => reading.ReceivedBytes), "By", "Bytes from all networks since the container started.");
        _meter.CreateObservableCounter("mooring.agent.device.sent", () => Each(loads, reading => reading.SentBytes), "By", "Bytes to all networks since the container started.");
        _meter.CreateObservableCounter("mooring.agent.device.throttled", () => Each(loads, reading => reading.ThrottledSeconds), "s", "Time for which the device's limit held it back since the container started.");
    }

    /// <summary>Writes the page.</summary>
    public void WriteTo(IBufferWriter<byte> output) => _exporter.WriteTo(output);

    /// <inheritdoc/>
    public void Dispose()
    {
        _exporter.Dispose();
        _meter.Dispose();
    }

    private static Measurement<int>[] CountOf(OperationTable operations)
    {
        var all = operations.Snapshot();
        var failed = all.Count(operation => operation.HasFailed);
        return [new(all.Count - failed, new KeyValuePair<string, object?>("state", "running")), new(failed, new KeyValuePair<string, object?>("state", "failed"))];
    }

    private static IEnumerable<Measurement<double>> Each(LoadRecorder loads, Func<DeviceReading, double> value) =>
        loads.Latest().Select(reading => new Measurement<double>(value(reading), new KeyValuePair<string, object?>("device", reading.Device)));
}
