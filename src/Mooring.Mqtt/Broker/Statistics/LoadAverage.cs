namespace Mooring.Mqtt.Broker.Statistics;

/// <summary>Exponential averages of a count over 1, 5 and 15 minutes, as a number per minute, like a machine's load.</summary>
internal sealed class LoadAverage
{
    private static readonly double[] Minutes = [1, 5, 15];
    private readonly double[] _averages = new double[3];
    private long _last;

    internal double OneMinute => _averages[0];

    internal double FiveMinutes => _averages[1];

    internal double FifteenMinutes => _averages[2];

    /// <summary>Takes in the count as it is <paramref name="elapsed"/> after the last time.</summary>
    internal void Step(long count, TimeSpan elapsed)
    {
        if (elapsed <= TimeSpan.Zero) return;
        var perMinute = (count - _last) / elapsed.TotalMinutes;
        _last = count;
        for (var i = 0; i < _averages.Length; i++)
        {
            var kept = Math.Exp(-elapsed.TotalMinutes / Minutes[i]);
            _averages[i] = perMinute + (kept * (_averages[i] - perMinute));
        }
    }
}
