using Mooring.Web.Readings;
using Mooring.Web.Rows;

namespace Mooring.Web.Live;

/// <summary>The last minutes of every figure, so that a page that has just been opened has plots. Rates are made here too.</summary>
internal sealed class FigureHistory(IConsoleSource source, ConsoleLimits limits, TimeProvider time)
{
    /// <summary>Points over which a rate is taken: ten seconds.</summary>
    private const int RatePoints = 6;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<double>> _points = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Queue<(long At, double Total)>> _totals = new(StringComparer.Ordinal);
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
                var value = reading.IsTotal ? Rate_NeedsLock(reading) : reading.Value;
                rows.Add(new FigureRow(reading.Name, value));
                if (!_points.TryGetValue(reading.Name, out var points)) _points.Add(reading.Name, points = new Queue<double>(limits.PlotPoints));
                if (points.Count == limits.PlotPoints) points.Dequeue();
                points.Enqueue(value);
            }
            _last = [.. rows];
            Volatile.Write(ref _stamp, _stamp + 1);
        }
    }

    /// <summary>Over some points, so that something that happens every few seconds is a level and not a comb.</summary>
    private double Rate_NeedsLock(FigureReading reading)
    {
        if (!_totals.TryGetValue(reading.Name, out var totals)) _totals.Add(reading.Name, totals = new Queue<(long, double)>(RatePoints));
        var now = time.GetTimestamp();
        // A count that fell begins anew: what it counted was taken away.
        if (totals.Count > 0 && reading.Value < totals.Last().Total) totals.Clear();
        if (totals.Count == RatePoints) totals.Dequeue();
        totals.Enqueue((now, reading.Value));
        var (at, total) = totals.Peek();
        return totals.Count < 2 ? 0 : RateMeter.Rounded((reading.Value - total) / time.GetElapsedTime(at, now).TotalSeconds);
    }

    /// <summary>All points of all figures, the oldest first.</summary>
    public HistoryView View()
    {
        lock (_gate) return new HistoryView(limits.PlotPeriod.TotalSeconds, _points.ToDictionary(p => p.Key, p => p.Value.ToArray(), StringComparer.Ordinal));
    }
}
