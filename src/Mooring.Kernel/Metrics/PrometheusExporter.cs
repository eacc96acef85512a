using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Mooring.Kernel.Metrics;

/// <summary>
/// Listens to the process's meters and writes what they counted in the Prometheus text format 0.0.4. Counting takes no lock;
/// writing takes one, so that the rounds of observable instruments do not mix.
/// </summary>
public sealed class PrometheusExporter : IDisposable
{
    /// <summary>The content type of what <see cref="WriteTo"/> writes.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly PrometheusOptions _options;
    private readonly Lock _writing = new();
    private readonly Func<Meter, bool> _accepts;
    private long _round;
    private long _instrumentsRefused;

    /// <summary>Starts to listen; instruments that exist already are heard too.</summary>
    /// <param name="options">What to export; null for the defaults.</param>
    public PrometheusExporter(PrometheusOptions? options = null)
        : this(options, _ => true)
    {
    }

    /// <summary>Starts to listen to some meters only: several hosts in one process can keep their counts apart.</summary>
    /// <param name="options">What to export; null for the defaults.</param>
    /// <param name="accepts">Chooses among the meters that the options name.</param>
    public PrometheusExporter(PrometheusOptions? options, Func<Meter, bool> accepts)
    {
        _options = options ?? new PrometheusOptions();
        _accepts = accepts;
        _listener.InstrumentPublished = Enable;
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, state) => Record((double)value, tags, state));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => Record(value, tags, state));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, state) => Record((double)value, tags, state));
        _listener.Start();
    }

    /// <summary>Asks the observable instruments and writes everything.</summary>
    /// <param name="output">Where to.</param>
    public void WriteTo(IBufferWriter<byte> output)
    {
        lock (_writing)
        {
            _round++;
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // A callback failed, for instance because its owner is being disposed; its series are absent this round.
            }
            var text = new PrometheusText(output);
            foreach (var family in _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal)) text.Write(family, _round);
            WriteOwn(text);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Enable(Instrument instrument, MeterListener listener)
    {
        if (!_options.Meters.Any(m => Matches(m, instrument.Meter.Name)) || !_accepts(instrument.Meter)) return;
        if (PrometheusNames.KindOf(instrument) is not { } kind) return;
        var name = PrometheusNames.Of(instrument.Name, instrument.Unit, kind);
        if (!_families.TryGetValue(name, out var family))
        {
            if (_families.Count >= _options.MetricsMax)
            {
                Interlocked.Increment(ref _instrumentsRefused);
                return;
            }
            family = _families.GetOrAdd(name, n => new MetricFamily(
                n, instrument.Description ?? "", kind, instrument.IsObservable, BoundsOf(instrument, kind), _options.SeriesMax));
        }
        // One name with two kinds would be an invalid page: the first one stays.
        if (family.Kind == kind && family.IsObservable == instrument.IsObservable) listener.EnableMeasurementEvents(instrument, family);
        else Interlocked.Increment(ref _instrumentsRefused);
    }

    private double[] BoundsOf(Instrument instrument, MetricKind kind)
    {
        if (kind != MetricKind.Histogram) return [];
        IEnumerable<double>? advised = instrument switch
        {
            Histogram<double> h => h.Advice?.HistogramBucketBoundaries,
            Histogram<long> h => h.Advice?.HistogramBucketBoundaries?.Select(b => (double)b),
            Histogram<int> h => h.Advice?.HistogramBucketBoundaries?.Select(b => (double)b),
            _ => null,
        };
        return [.. advised ?? (instrument.Unit == "s" ? _options.SecondsBounds : _options.OtherBounds)];
    }

    private void WriteOwn(PrometheusText text)
    {
        var overflown = _families.Values.Where(f => f.Overflow > 0).OrderBy(f => f.Name, StringComparer.Ordinal).ToList();
        text.Head("mooring_metrics_overflow_total", "Measurements dropped because a metric had too many sets of labels.", MetricKind.Counter);
        foreach (var family in overflown)
            text.Sample("mooring_metrics_overflow_total", $"metric=\"{family.Name}\"", family.Overflow);
        text.Head("mooring_metrics_refused_total", "Instruments not exported: too many, or one name with two kinds.", MetricKind.Counter);
        text.Sample("mooring_metrics_refused_total", "", Interlocked.Read(ref _instrumentsRefused));
    }

    private void Record(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) =>
        ((MetricFamily)state!).Record(value, tags, _round);

    private void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) =>
        ((MetricFamily)state!).Record(value, tags, _round);

    private static bool Matches(string pattern, string name) => pattern.EndsWith('*')
        ? name.AsSpan().StartsWith(pattern.AsSpan(0, pattern.Length - 1), StringComparison.Ordinal)
        : name == pattern;
}
