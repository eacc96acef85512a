using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Tests.Agent.Upkeep;

/// <summary>From how a device is meant to be and how it is to the next step.</summary>
public sealed class UpkeepPlanTests
{
    [Theory]
    [InlineData("exited", false, false, 0, false, (int)UpkeepStep.Start)]
    [InlineData("created", false, false, 0, false, (int)UpkeepStep.Start)]
    [InlineData("exited", true, false, 0, false, (int)UpkeepStep.Nothing)]
    [InlineData("exited", false, true, 0, false, (int)UpkeepStep.Later)]
    [InlineData("exited", false, false, 4, false, (int)UpkeepStep.Start)]
    [InlineData("exited", false, false, 5, false, (int)UpkeepStep.GiveUp)]
    [InlineData("running", false, false, 5, false, (int)UpkeepStep.Attach)]
    [InlineData("running", false, false, 0, true, (int)UpkeepStep.Nothing)]
    [InlineData("running", true, false, 0, false, (int)UpkeepStep.Attach)]
    [InlineData("paused", false, false, 0, false, (int)UpkeepStep.Nothing)]
    [InlineData("dead", false, false, 0, false, (int)UpkeepStep.Nothing)]
    [InlineData("restarting", false, false, 0, false, (int)UpkeepStep.Nothing)]
    [InlineData(null, false, false, 0, false, (int)UpkeepStep.ReportMissing)]
    public void RegisteredDevice_NextStep(string? container, bool isStopped, bool isBusy, int restarts, bool isAttached, int step) =>
        Assert.Equal((UpkeepStep)step, UpkeepPlan.Next(new UpkeepFacts
        {
            IsRegistered = true, IsStopped = isStopped, IsBusy = isBusy, Container = container, RecentRestarts = restarts, IsAttached = isAttached,
        }));

    [Theory]
    [InlineData("exited", 0, false, false, (int)UpkeepStep.GiveUp)]
    [InlineData("exited", 0, true, false, (int)UpkeepStep.Retry)]
    [InlineData("running", 1, false, true, (int)UpkeepStep.Nothing)]
    [InlineData("running", 1, false, false, (int)UpkeepStep.Attach)]
    [InlineData("running", 0, false, true, (int)UpkeepStep.Recover)]
    public void D44_DeviceThatWasGivenUp_IsLeftAlone_TriedWhenThatIsChosen_AndWholeAfterAWhile(string container, int restarts, bool isRetryDue, bool isAttached, int step) =>
        Assert.Equal((UpkeepStep)step, UpkeepPlan.Next(new UpkeepFacts
        {
            IsRegistered = true, Container = container, RecentRestarts = restarts, HasGivenUp = true, IsRetryDue = isRetryDue, IsAttached = isAttached,
        }));

    [Fact]
    public void DeviceThatIsNotRegistered_IsForgotten_WhateverItDoes() =>
        Assert.Equal(UpkeepStep.Forget, UpkeepPlan.Next(new UpkeepFacts { Container = "running", IsBusy = true }));

    [Fact]
    public void Restarts_AgeOut()
    {
        var look = new Look();
        var now = TimeSpan.FromHours(1);
        for (var i = 0; i < UpkeepPlan.MaxRestarts; i++) look.AddRestart(now + TimeSpan.FromSeconds(i));
        Assert.Equal(UpkeepPlan.MaxRestarts, look.CountRestarts(now));
        Assert.Equal(0, look.CountRestarts(now + TimeSpan.FromSeconds(10)));
    }
}
