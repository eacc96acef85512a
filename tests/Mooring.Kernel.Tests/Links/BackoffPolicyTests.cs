using Mooring.Kernel.Links;

namespace Mooring.Kernel.Tests.Links;

public sealed class BackoffPolicyTests
{
    private static readonly BackoffPolicy Policy = new()
    {
        First = TimeSpan.FromSeconds(1), Minimum = TimeSpan.FromMilliseconds(100), Cap = TimeSpan.FromSeconds(60),
    };

    [Theory]
    [InlineData(1, 1.0, 1_000)]
    [InlineData(2, 1.0, 2_000)]
    [InlineData(3, 1.0, 4_000)]
    [InlineData(6, 1.0, 32_000)]
    [InlineData(7, 1.0, 60_000)]
    [InlineData(3, 0.5, 2_000)]
    [InlineData(3, 0.0, 100)]
    [InlineData(7, 0.5, 30_000)]
    [InlineData(1_000, 0.5, 30_000)]
    [InlineData(int.MaxValue, 1.0, 60_000)]
    [InlineData(int.MaxValue, 0.0, 100)]
    [InlineData(0, 1.0, 1_000)]
    [InlineData(int.MinValue, 1.0, 1_000)]
    [InlineData(1, 7.0, 1_000)]
    [InlineData(1, -7.0, 100)]
    [InlineData(1, double.NaN, 1_000)]
    public void Next_IsTheDrawnShareOfTheCappedCeiling(int attempt, double random, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Policy.Next(attempt, random));

    [Fact]
    public void AnyAttemptAndDraw_StaysBetweenMinimumAndCap()
    {
        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
        {
            var delay = Policy.Next(random.Next(int.MinValue, int.MaxValue), random.NextDouble());
            Assert.InRange(delay, Policy.Minimum, Policy.Cap);
        }
    }

    [Fact]
    public void HugeCap_DoesNotOverflow()
    {
        var policy = new BackoffPolicy { Cap = TimeSpan.MaxValue, Factor = 10 };
        Assert.Equal(TimeSpan.MaxValue, policy.Next(500, 1));
        Assert.True(policy.Next(18, 0.999) > TimeSpan.Zero);
    }

    [Fact]
    public void MinimumAboveCap_MeetsTheCap() =>
        Assert.Equal(TimeSpan.FromSeconds(1),
            new BackoffPolicy { Minimum = TimeSpan.FromSeconds(5), Cap = TimeSpan.FromSeconds(1) }.Next(1, 0.5));

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public void Fixed_AlwaysWaitsTheSame(int attempt) =>
        Assert.Equal(TimeSpan.FromSeconds(10), BackoffPolicy.Fixed(TimeSpan.FromSeconds(10)).Next(attempt, 0.3));

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(4, 0, 5)]
    [InlineData(4, 29.9, 5)]
    [InlineData(4, 30, 1)]
    [InlineData(4, 3600, 1)]
    [InlineData(int.MaxValue, 0, int.MaxValue)]
    public void Failures_AreForgottenOnlyAfterBeingUpLongEnough(int before, double upForSeconds, int after) =>
        Assert.Equal(after, Policy.FailuresAfter(before, TimeSpan.FromSeconds(upForSeconds)));
}
