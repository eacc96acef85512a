using Mooring.Bench.Mqtt;

namespace Mooring.Bench.Tests;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Quantiles_OfEvenlySpreadValues_AreWithinOneBucket()
    {
        var histogram = new LatencyHistogram();
        for (var microseconds = 1; microseconds <= 100_000; microseconds++) histogram.Record(microseconds * 1000L);

        Assert.Equal(50_000, histogram.Microseconds(0.5), 50_000 * 0.04);
        Assert.Equal(99_000, histogram.Microseconds(0.99), 99_000 * 0.04);
        Assert.Equal(99_900, histogram.Microseconds(0.999), 99_900 * 0.04);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(123_456_789)]
    [InlineData(long.MaxValue)]
    public void SingleValue_IsReportedAtOrJustAboveItself(long nanoseconds)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(nanoseconds);

        var expected = Math.Min(nanoseconds, 1L << 40) / 1000.0;
        Assert.InRange(histogram.Microseconds(1), expected, expected * 1.04 + 0.001);
    }

    [Fact]
    public void EmptyHistogram_HasNoQuantile()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(5);
        histogram.Clear();

        Assert.True(double.IsNaN(histogram.Microseconds(0.5)));
    }
}
