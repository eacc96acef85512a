using Mooring.Kernel.Events;
using Mooring.Testing;

namespace Mooring.Kernel.Tests;

/// <summary>What is told about all systems, in one order and in bounded memory.</summary>
public sealed class OperatorEventsTests
{
    private readonly OperatorEvents _events = new(new TestClock());

    [Fact]
    public void Events_AreNumbered_AndThoseAfterANumberAreGiven()
    {
        for (var i = 1; i <= 3; i++) Tell($"car {i}");
        Assert.Equal(["car 2", "car 3"], _events.Recent(after: 1).Select(told => told.Subject));
        Assert.Equal(3, _events.Last);
    }

    [Fact]
    public void OldEvents_GiveWay()
    {
        for (var i = 1; i <= OperatorEvents.RecentMax + 10; i++) Tell("car");
        Assert.Equal(OperatorEvents.RecentMax, _events.Recent().Count);
        Assert.Equal(11, _events.Recent()[0].Number);
    }

    [Fact]
    public void LongTexts_AreCut()
    {
        Tell(new string('x', 10_000));
        Assert.Equal(OperatorEvents.TextMax, _events.Recent()[0].Subject.Length);
    }

    [Fact]
    public async Task Watcher_SeesWhatComes_AndOneThatStandsStillLosesTheOldest()
    {
        using var stop = new CancellationTokenSource();
        var watcher = _events.WatchAsync(stop.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var first = watcher.MoveNextAsync();
        Tell("first");
        Assert.True(await first);
        Assert.Equal("first", watcher.Current.Subject);
        for (var i = 0; i < OperatorEvents.WaitingMax + 5; i++) Tell($"car {i}");
        Assert.True(await watcher.MoveNextAsync());
        Assert.Equal("car 5", watcher.Current.Subject);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => { while (await watcher.MoveNextAsync()) { } });
        await watcher.DisposeAsync();
    }

    private void Tell(string subject) => _events.Publish("fleet", subject, "car_online", EventSeverity.Notice, "online");
}
