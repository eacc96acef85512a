namespace Mooring.Kernel.Metrics;

/// <summary>One set of labels of one metric. Updated from any thread without a lock.</summary>
/// <param name="labels">The labels as they are written, without braces: <c>a="b",c="d"</c>.</param>
/// <param name="bounds">Upper bounds of the buckets; empty when it is no histogram.</param>
internal sealed class MetricSeries(string labels, double[] bounds)
{
    private readonly long[] _buckets = bounds.Length == 0 ? [] : new long[bounds.Length + 1];
    private double _value;
    private long _whole;

    public string Labels => labels;

    /// <summary>The round of collection in which an observable instrument last reported it.</summary>
    public long Round { get; set; }

    /// <summary>The value, or the sum of a histogram.</summary>
    public double Value => Volatile.Read(ref _value) + Interlocked.Read(ref _whole);

    /// <summary>Adds a whole number: the hot path of counters, one interlocked instruction.</summary>
    public void Add(long value) => Interlocked.Add(ref _whole, value);

    public void Add(double value)
    {
        double seen, next;
        do
        {
            seen = Volatile.Read(ref _value);
            next = seen + value;
        }
        while (BitConverter.DoubleToInt64Bits(Interlocked.CompareExchange(ref _value, next, seen)) != BitConverter.DoubleToInt64Bits(seen));
    }

    public void Set(double value)
    {
        Interlocked.Exchange(ref _whole, 0);
        Volatile.Write(ref _value, value);
    }

    public void Record(double value)
    {
        // Prometheus' buckets contain their upper bound.
        var index = Array.BinarySearch(bounds, value);
        Interlocked.Increment(ref _buckets[index < 0 ? ~index : index]);
        Add(value);
    }

    /// <summary>Copies the counts of the buckets; the last is that of values above all bounds.</summary>
    public long[] Buckets()
    {
        var copy = new long[_buckets.Length];
        for (var i = 0; i < copy.Length; i++) copy[i] = Interlocked.Read(ref _buckets[i]);
        return copy;
    }
}
