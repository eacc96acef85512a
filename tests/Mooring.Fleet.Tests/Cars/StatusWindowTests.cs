using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Tests.Cars;

public sealed class StatusWindowTests
{
    [Fact]
    public void C150_4294967295_is_followed_by_0()
    {
        var window = new StatusWindow(10);
        window.Reset(uint.MaxValue);
        Assert.Equal(StatusPlace.Held, window.Offer(new Status { MessageCounter = 0 }, TimeSpan.Zero));
        Assert.False(window.TryRelease(TimeSpan.Zero, out _));
        Assert.Equal(StatusPlace.Next, window.Offer(new Status { MessageCounter = uint.MaxValue }, TimeSpan.Zero));
        Assert.True(window.TryRelease(TimeSpan.Zero, out var second));
        Assert.Equal(0u, second.MessageCounter);
        Assert.Null(window.GapSince);
    }
}
