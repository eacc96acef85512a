namespace Mooring.Web.Live;

/// <summary>
/// Turns counts that only grow into how much they grow in a second. A rate is taken anew when its period is over, and rounded to what
/// people read, so that a steady flow is a number that stays.
/// </summary>
internal sealed class RateMeter(TimeProvider time, TimeSpan period)
{
    private readonly Dictionary<string, Mark> _marks = new(StringComparer.Ordinal);

    public double Of(string key, long total)
    {
        var now = time.GetTimestamp();
        if (!_marks.TryGetValue(key, out var mark))
        {
            _marks[key] = new Mark(now, total, 0);
            return 0;
        }
        var elapsed = time.GetElapsedTime(mark.At, now);
        if (elapsed < period) return mark.Rate;
        // After a long pause the average says nothing about now; and a count that fell belongs to something new of the same name.
        var rate = elapsed > period * 5 || total < mark.Total ? 0 : Rounded((total - mark.Total) / elapsed.TotalSeconds);
        _marks[key] = new Mark(now, total, rate);
        return rate;
    }

    /// <summary>What is not there any more needs no mark.</summary>
    public void Forget(string key) => _marks.Remove(key);

    /// <summary>Two significant digits below ten, whole numbers above.</summary>
    internal static double Rounded(double rate) => rate switch
    {
        < 0.05 => 0,
        < 10 => Math.Round(rate, 1),
        _ => Math.Round(rate),
    };

    private readonly record struct Mark(long At, long Total, double Rate);
}
