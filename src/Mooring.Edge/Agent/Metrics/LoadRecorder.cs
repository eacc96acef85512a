using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>Keeps the histories of load of the host and of all devices.</summary>
/// <param name="folder">Where their files lie.</param>
/// <param name="engine">Asked for the load of devices.</param>
/// <param name="time">Clock of the samples.</param>
/// <param name="logger">Told when a sample cannot be kept.</param>
internal sealed partial class LoadRecorder(string folder, EngineClient engine, TimeProvider time, ILogger<LoadRecorder> logger) : IDisposable
{
    /// <summary>Name of the host's own series; no device can be called so.</summary>
    private const string HostSeries = "@host";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Series> _series = new(StringComparer.Ordinal);

    /// <summary>Takes a sample of the host.</summary>
    /// <param name="cpu">Percent of all processors.</param>
    /// <param name="memoryMiB">Used memory.</param>
    public void RecordHost(double cpu, double memoryMiB) => Record(HostSeries, Of(HostSeries), cpu, memoryMiB);

    /// <summary>
    /// Takes a sample of each device, all beside each other. A device whose last sample is still outstanding is left out: a slow engine
    /// gets no second request.
    /// </summary>
    public Task RecordDevicesAsync(IEnumerable<string> devices, CancellationToken cancellationToken) =>
        Task.WhenAll(devices.Select(device => RecordDeviceAsync(device, cancellationToken)));

    /// <summary>The load of a device in a stretch of time.</summary>
    public (IReadOnlyList<Sample> Samples, int Resolution) QueryDevice(string device, Period period, int maxPoints) => Query(device, period, maxPoints);

    /// <summary>The load of the host in a stretch of time.</summary>
    public (IReadOnlyList<Sample> Samples, int Resolution) QueryHost(Period period, int maxPoints) => Query(HostSeries, period, maxPoints);

    /// <summary>The last sample of each device that runs.</summary>
    public IReadOnlyList<DeviceReading> Latest()
    {
        lock (_gate) return [.. _series.Values.Select(series => series.Latest).OfType<DeviceReading>()];
    }

    /// <summary>Forgets a device that was removed.</summary>
    public void Forget(string device)
    {
        lock (_gate)
        {
            if (!Directory.Exists(folder)) return;
            // A sample that is still outstanding finds its series closed and does not bring it back.
            if (_series.Remove(device, out var series)) series.Dispose();
            LoadHistory.Delete(folder, device);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
            foreach (var series in _series.Values) series.Dispose();
    }

    private async Task RecordDeviceAsync(string device, CancellationToken cancellationToken)
    {
        var series = Of(device);
        if (!series.TryBegin()) return;
        try
        {
            var stats = await engine.StatsAsync(device, cancellationToken).ConfigureAwait(false);
            // Containers that do not run have no memory statistics.
            if (stats.MemoryStats?.Usage is null)
            {
                series.Latest = null;
                return;
            }
            var (cpu, memory) = series.Load.Next(stats);
            Record(device, series, cpu, memory);
            series.Latest = DeviceReading.Of(device, cpu, memory, stats);
        }
        catch (EngineException)
        {
            // A gap in the history says it.
        }
        finally
        {
            series.End();
        }
    }

    private void Record(string name, Series series, double cpu, double memory)
    {
        try
        {
            series.History.Add(Now, cpu, memory);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            LogNotKept(logger, name, e.Message);
        }
    }

    private (IReadOnlyList<Sample> Samples, int Resolution) Query(string name, Period period, int maxPoints) =>
        Of(name).History.Query(period.From, period.To, Now, maxPoints);

    private long Now => time.GetUtcNow().ToUnixTimeSeconds();

    private Series Of(string name)
    {
        lock (_gate)
        {
            if (!_series.TryGetValue(name, out var series)) _series[name] = series = new Series(new LoadHistory(folder, name));
            return series;
        }
    }

    [LoggerMessage(7050, LogLevel.Warning, "a sample of the load of {Series} is not kept: {Reason}")]
    private static partial void LogNotKept(ILogger logger, string series, string reason);

    private sealed class Series(LoadHistory history) : IDisposable
    {
        private int _isOutstanding;
        private volatile DeviceReading? _latest;

        public DeviceReading? Latest
        {
            get => _latest;
            set => _latest = value;
        }

        public LoadHistory History { get; } = history;

        public DeviceLoad Load { get; } = new();

        public bool TryBegin() => Interlocked.Exchange(ref _isOutstanding, 1) == 0;

        public void End() => Volatile.Write(ref _isOutstanding, 0);

        public void Dispose() => History.Dispose();
    }
}
