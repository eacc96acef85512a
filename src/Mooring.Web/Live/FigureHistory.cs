using Mooring.Web.Readings;
using Mooring.Web.Rows;

namespace Mooring.Web.Live;

/// <summary>The last minutes of every figure, so that a page that has just been opened has plots. Rates are made here too.</summary>
internal sealed class FigureHistory(IConsoleSource source, ConsoleLimits limits, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<double>> _points = new(StringComparer.Ordinal);
    private readonly RateMeter _rates = new(time, limits.PlotPeriod / 2);
    private FigureRow[] _last = [];
    private long _stamp;

    /// <summary>Grows with every point.</summary>
    public long Stamp => Volatile.Read(ref _stamp);

    /// <summary>The figures at the last point.</summary>
    public IReadOnlyList<FigureRow> Last
    {
        get { lock (_gate) return _last; }
    }

    /// <summary>Reads the figures once.</summary>
    public void AddPoint()
    {
        var readings = source.Figures().ToList();
        lock (_gate)
        {
            var rows = new List<FigureRow>(readings.Count);
            foreach (var reading in readings)
            {
                var value = reading.IsTotal ? _rates.Of(reading.Name, (long)reading.Value) : reading.Value;
                rows.Add(new FigureRow(reading.Name, value));
                if (!_points.TryGetValue(reading.Name, out var points)) _points.Add(reading.Name, points = new Queue<double>(limits.PlotPoints));
                if (points.Count == limits.PlotPoints) points.Dequeue();
                points.Enqueue(value);
            }
            _last = [.. rows];
            Volatile.Write(ref _stamp, _stamp + 1);
        }
    }

    /// <summary>All points of all figures, the oldest first.</summary>
    public HistoryView View()
    {
        lock (_gate) return new HistoryView(limits.PlotPeriod.TotalSeconds, _points.ToDictionary(p => p.Key, p => p.Value.ToArray(), StringComparer.Ordinal));
    }
}
