using System.Net;
using Mooring.Mqtt.Broker.Access;

namespace Mooring.Mqtt.Tests.Access;

public sealed class FailedLoginsTests
{
    private static readonly IPEndPoint Here = new(IPAddress.Loopback, 1);
    private static readonly IPEndPoint HereAgain = new(IPAddress.Loopback, 2);
    private static readonly IPEndPoint There = new(IPAddress.IPv6Loopback, 1);

    [Fact]
    public void AddressWithTooMany_IsRefused_UntilTheMinuteIsOver()
    {
        var failed = new FailedLogins(perMinute: 2);
        failed.Add(Here, now: 1000);
        Assert.False(failed.IsTooMany(HereAgain, now: 1000));
        failed.Add(HereAgain, now: 2000);
        Assert.True(failed.IsTooMany(Here, now: 60_999));
        Assert.False(failed.IsTooMany(There, now: 2000));
        Assert.False(failed.IsTooMany(Here, now: 61_000));
        failed.Add(Here, now: 61_000);
        Assert.False(failed.IsTooMany(Here, now: 61_000));
    }

    [Fact]
    public void Zero_IsNoLimit()
    {
        var failed = new FailedLogins(perMinute: 0);
        failed.Add(Here, now: 0);
        Assert.False(failed.IsTooMany(Here, now: 0));
    }
}
