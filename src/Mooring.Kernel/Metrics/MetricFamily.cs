using System.Collections.Concurrent;
using System.Globalization;

namespace Mooring.Kernel.Metrics;

/// <summary>One metric: a name, a kind and a bounded number of series.</summary>
internal sealed class MetricFamily
{
    /// <summary>Label names remembered; there are few, and they come with every measurement.</summary>
    private const int LabelNamesMax = 100;

    /// <summary>Labels of one measurement that are looked at; nobody can read a metric with more.</summary>
    private const int TagsMax = 16;

    private readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MetricSeries>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly ConcurrentDictionary<string, string> _labelNames = new(StringComparer.Ordinal);
    private readonly MetricSeries _unlabelled;
    private readonly Lock _growth = new();
    private readonly int _seriesMax;
    private bool _unlabelledUsed;
    private long _overflow;

    public MetricFamily(string name, string help, MetricKind kind, bool isObservable, double[] bounds, int seriesMax)
    {
        (Name, Help, Kind, IsObservable, Bounds, _seriesMax) = (name, help, kind, isObservable, bounds, seriesMax);
        _lookup = _series.GetAlternateLookup<ReadOnlySpan<char>>();
        _unlabelled = new MetricSeries("", bounds);
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    public bool IsObservable { get; }

    public double[] Bounds { get; }

    /// <summary>Measurements dropped because their labels would have been one set too many.</summary>
    public long Overflow => Interlocked.Read(ref _overflow);

    public void Record(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, long round)
    {
        if (Find(tags) is not { } series) return;
        if (!IsObservable && Kind is MetricKind.Counter or MetricKind.UpDownCounter) series.Add(value);
        else Record(series, value, round);
    }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, long round)
    {
        if (Find(tags) is { } series) Record(series, value, round);
    }

    /// <summary>The series to write: of an observable instrument those that it reported in this round.</summary>
    public IEnumerable<MetricSeries> Series(long round)
    {
        if (Volatile.Read(ref _unlabelledUsed) && (!IsObservable || _unlabelled.Round == round)) yield return _unlabelled;
        foreach (var series in _series.Values.OrderBy(s => s.Labels, StringComparer.Ordinal))
            if (!IsObservable || series.Round == round) yield return series;
    }

    private void Record(MetricSeries series, double value, long round)
    {
        if (Kind == MetricKind.Histogram)
        {
            if (!double.IsNaN(value)) series.Record(value);
        }
        else if (IsObservable)
        {
            // Two instruments of one name (two brokers in one process) report into one metric: what they say is added.
            if (series.Round == round) series.Add(value);
            else series.Set(value);
            series.Round = round;
        }
        else if (Kind == MetricKind.Gauge) series.Set(value);
        else series.Add(value);
    }

    private MetricSeries? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0)
        {
            // Read first: a write on every measurement would move the cache line between cores.
            if (!Volatile.Read(ref _unlabelledUsed)) Volatile.Write(ref _unlabelledUsed, true);
            return _unlabelled;
        }
        Span<char> buffer = stackalloc char[512];
        var text = new LabelBuffer(buffer);
        Render(tags, ref text);
        var labels = text.Written;
        return _lookup.TryGetValue(labels, out var series) ? series : Create(labels.ToString());
    }

    private MetricSeries? Create(string labels)
    {
        lock (_growth)
        {
            if (_series.TryGetValue(labels, out var series)) return series;
            if (_series.Count >= _seriesMax)
            {
                Interlocked.Increment(ref _overflow);
                return null;
            }
            return _series[labels] = new MetricSeries(labels, Bounds);
        }
    }

    // Sorted by name: the same labels in another order are the same series.
    private void Render(ReadOnlySpan<KeyValuePair<string, object?>> tags, ref LabelBuffer text)
    {
        var count = Math.Min(tags.Length, TagsMax);
        Span<int> order = stackalloc int[TagsMax];
        for (var i = 0; i < count; i++)
        {
            var at = i;
            for (; at > 0 && string.CompareOrdinal(tags[order[at - 1]].Key, tags[i].Key) > 0; at--) order[at] = order[at - 1];
            order[at] = i;
        }
        for (var i = 0; i < count; i++)
        {
            var (key, value) = tags[order[i]];
            if (i > 0) text.Append(",");
            text.Append(LabelName(key));
            text.Append("=\"");
            text.Append(PrometheusNames.EscapeLabel(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
            text.Append("\"");
        }
    }

    private string LabelName(string name)
    {
        if (_labelNames.TryGetValue(name, out var label)) return label;
        label = PrometheusNames.Label(name);
        if (_labelNames.Count < LabelNamesMax) _labelNames.TryAdd(name, label);
        return label;
    }
}
