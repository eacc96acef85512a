using System.Numerics;

namespace Mooring.Fleet.VirtualCars;

/// <summary>How often which time was seen, to about 6 %. Sixteen steps for each doubling, from a microsecond to an hour.</summary>
internal sealed class RoundTripTimes
{
    private const int StepBits = 4;
    private const int Steps = 1 << StepBits;
    private const int Doublings = 32;

    private readonly long[] _counts = new long[(Doublings + 1) * Steps];

    internal void Add(TimeSpan time)
    {
        var microseconds = (ulong)Math.Max(time.Ticks / TimeSpan.TicksPerMicrosecond, 0);
        Interlocked.Increment(ref _counts[Math.Min(IndexOf(microseconds), _counts.Length - 1)]);
    }

    /// <summary>A copy to compare a later state with.</summary>
    internal long[] Snapshot() => [.. _counts];

    /// <summary>The time that a share of all times did not exceed, of those counted since <paramref name="before"/>; zero when there were none.</summary>
    internal static TimeSpan Percentile(double share, long[] now, long[]? before = null)
    {
        var counts = before is null ? now : [.. now.Zip(before, (n, b) => n - b)];
        var rank = (long)Math.Ceiling(counts.Sum() * share);
        var seen = 0L;
        for (var i = 0; i < counts.Length && rank > 0; i++)
        {
            seen += counts[i];
            if (seen >= rank) return TimeSpan.FromMicroseconds(UpperBoundOf(i));
        }
        return TimeSpan.Zero;
    }

    // Values below 16 have a step each; above, the four bits behind the leading one choose the step.

    private static int IndexOf(ulong value)
    {
        if (value < Steps) return (int)value;
        var shift = BitOperations.Log2(value) - StepBits;
        return (int)(((ulong)(shift + 1) << StepBits) + ((value >> shift) & (Steps - 1)));
    }

    private static long UpperBoundOf(int index) =>
        index < Steps ? index : ((long)(Steps + (index & (Steps - 1)) + 1) << ((index >> StepBits) - 1)) - 1;
}
