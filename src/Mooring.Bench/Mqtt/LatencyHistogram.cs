using System.Numerics;

namespace Mooring.Bench.Mqtt;

/// <summary>Counts of durations in buckets 1/32 wide relative to their value, from 1 ns to 18 minutes. One thread.</summary>
internal sealed class LatencyHistogram
{
    private const int SubBucketBits = 5;
    private const int SubBuckets = 1 << SubBucketBits;
    private const int Magnitudes = 40;
    private readonly long[] _counts = new long[(Magnitudes - SubBucketBits + 1) * SubBuckets];

    internal long Count { get; private set; }

    internal void Record(long nanoseconds)
    {
        _counts[Bucket(Math.Clamp(nanoseconds, 0, (1L << Magnitudes) - 1))]++;
        Count++;
    }

    internal void Clear()
    {
        Array.Clear(_counts);
        Count = 0;
    }

    /// <summary>Upper edge of the bucket below which the share <paramref name="quantile"/> of all values lies, in microseconds.</summary>
    internal double Microseconds(double quantile)
    {
        if (Count == 0) return double.NaN;
        var wanted = (long)Math.Ceiling(Count * quantile);
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= wanted) return UpperEdge(bucket) / 1000.0;
        }
        return double.NaN;
    }

    private static int Bucket(long value)
    {
        if (value < SubBuckets) return (int)value;
        var shift = BitOperations.Log2((ulong)value) - SubBucketBits;
        return (shift << SubBucketBits) + (int)(value >> shift);
    }

    private static long UpperEdge(int bucket)
    {
        if (bucket < SubBuckets * 2) return bucket + 1;
        var shift = (bucket >> SubBucketBits) - 1;
        return (long)((bucket & (SubBuckets - 1)) + SubBuckets + 1) << shift;
    }
}
