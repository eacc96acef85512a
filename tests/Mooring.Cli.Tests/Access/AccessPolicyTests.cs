using System.Net;
using Mooring.Cli.Access;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Access;

public sealed class AccessPolicyTests
{
    [Theory]
    [InlineData("GET", "/health/live", nameof(AccessRule.Open))]
    [InlineData("POST", "/health/live", nameof(AccessRule.Operator))]
    [InlineData("GET", "/login", nameof(AccessRule.Open))]
    [InlineData("POST", "/api/login", nameof(AccessRule.Open))]
    [InlineData("POST", "/API/Login", nameof(AccessRule.Open))]
    [InlineData("GET", "/", nameof(AccessRule.Viewer))]
    [InlineData("GET", "/metrics", nameof(AccessRule.Viewer))]
    [InlineData("GET", "/api/fleet/cars", nameof(AccessRule.Viewer))]
    [InlineData("POST", "/api/fleet/cars/a/commands", nameof(AccessRule.Operator))]
    [InlineData("PATCH", "/api/fleet/cars/a", nameof(AccessRule.Operator))]
    [InlineData("DELETE", "/api/anything/new", nameof(AccessRule.Operator))]
    [InlineData("OPTIONS", "/api/fleet", nameof(AccessRule.Operator))]
    [InlineData("GET", "/api/users", nameof(AccessRule.Admin))]
    [InlineData("PUT", "/API/USERS/eve", nameof(AccessRule.Admin))]
    [InlineData("GET", "//api//users", nameof(AccessRule.Admin))]
    [InlineData("PUT", "/api/log-level", nameof(AccessRule.Admin))]
    [InlineData("GET", "/api/log-level", nameof(AccessRule.Viewer))]
    [InlineData("GET", "/api/audit", nameof(AccessRule.Admin))]
    [InlineData("GET", "/api/audit/", nameof(AccessRule.Admin))]
    [InlineData("POST", "/api/orchestrators", nameof(AccessRule.Admin))]
    [InlineData("GET", "/api/orchestrators", nameof(AccessRule.Viewer))]
    [InlineData("DELETE", "/api/orchestrators/line-4", nameof(AccessRule.Admin))]
    [InlineData("POST", "/api/orchestrators/line-4/topics/x", nameof(AccessRule.Admin))]
    [InlineData("POST", "/api/orchestrators/line-4/devices", nameof(AccessRule.Operator))]
    [InlineData("GET", "/api/orchestrators/line-4/devices/d/proxy/reset", nameof(AccessRule.Operator))]
    [InlineData("GET", "/admin/v1/accounts", nameof(AccessRule.Admin))]
    [InlineData("GET", "/admin/v1/tunnels", nameof(AccessRule.Viewer))]
    [InlineData("DELETE", "/admin/v1/tunnels/x", nameof(AccessRule.Operator))]
    [InlineData("POST", "/agent/command", nameof(AccessRule.Admin))]
    public void EachRequest_AsksForItsRole(string method, string path, string expected) => Assert.Equal(expected, AccessPolicy.Of(method, path).ToString());

    [Theory]
    [InlineData("127.0.0.1:7700", "", "", true)]
    [InlineData("localhost:7700", "http://localhost:7700", "same-origin", true)]
    [InlineData("[::1]:7700", "", "", true)]
    [InlineData("LOCALHOST", "", "", true)]
    [InlineData("console.example.org", "https://console.example.org", "same-origin", true)]
    [InlineData("127.0.0.1:8080", "https://console.example.org", "", true)]
    [InlineData("evil.example:7700", "", "", false)]
    [InlineData("localhost.evil.example", "", "", false)]
    [InlineData("192.0.2.1:7700", "", "", false)]
    [InlineData("", "", "", false)]
    [InlineData("[", "", "", false)]
    [InlineData("127.0.0.1:7700", "http://evil.example", "cross-site", false)]
    [InlineData("127.0.0.1:7700", "http://127.0.0.1:8000", "same-site", false)]
    [InlineData("127.0.0.1:7700", "null", "", false)]
    [InlineData("127.0.0.1:7700", "", "cross-site", false)]
    public void ForeignNamesAndPages_AreRefused(string host, string origin, string site, bool isGood) =>
        Assert.Equal(isGood, new RequestOrigin(["console.example.org"], isLoopback: true).Problem(host, origin, site, isNavigation: false) is null);

    [Fact]
    public void Beyond_loopback_every_address_is_known_but_no_foreign_name()
    {
        var origin = new RequestOrigin([], isLoopback: false);
        Assert.Null(origin.Problem("192.0.2.1:7700", "", "", false));
        Assert.NotNull(origin.Problem("evil.example:7700", "", "", false));
    }

    [Fact]
    public void ALinkFromElsewhere_OpensAPage() => Assert.Null(new RequestOrigin([], isLoopback: true).Problem("localhost", "", "cross-site", isNavigation: true));

    [Theory]
    [InlineData("/cars?x=1", "/cars?x=1")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData("/a\r\nSet-Cookie: x", "/")]
    [InlineData("", "/")]
    public void AfterLogIn_OnlyOwnPathsAreOpened(string asked, string expected) => Assert.Equal(expected, LoginPage.LocalPath(asked));

    [Fact]
    public void Guesses_AreStopped_ByAccountAndByAddress_UntilThePeriodEnds()
    {
        var clock = new TestClock();
        var limits = new AccessLimits();
        var throttle = new LoginThrottle(limits, clock);
        for (var i = 0; i < limits.FailuresPerAccount; i++)
        {
            Assert.Null(throttle.Wait(Address(i), "anna"));
            throttle.Failed(Address(i), "anna");
        }
        Assert.NotNull(throttle.Wait(Address(99), "ANNA"));
        Assert.Null(throttle.Wait(Address(99), "bob"));
        for (var i = 0; i < limits.FailuresPerAddress; i++) throttle.Failed(Address(99), $"guess{i}");
        Assert.NotNull(throttle.Wait(Address(99), "bob"));
        clock.Advance(limits.FailurePeriod);
        Assert.Null(throttle.Wait(Address(99), "anna"));
    }

    [Theory]
    [InlineData(-365)]
    [InlineData(365)]
    public void Guesses_AreStopped_ForAsLong_WhenTheClockJumps(int days)
    {
        var clock = new TestClock();
        var limits = new AccessLimits();
        var throttle = new LoginThrottle(limits, clock);
        for (var i = 0; i < limits.FailuresPerAccount; i++) throttle.Failed(Address(i), "anna");
        clock.Set(TimeSpan.FromDays(days));
        Assert.Equal(limits.FailurePeriod, throttle.Wait(Address(99), "anna"));
        clock.Advance(limits.FailurePeriod);
        Assert.Null(throttle.Wait(Address(99), "anna"));
    }

    [Fact]
    public void AddressesOfOneSubscriber_CountAsOne_AndTheTableIsBounded()
    {
        var limits = new AccessLimits { CountersMax = 50 };
        var throttle = new LoginThrottle(limits, new TestClock());
        for (var i = 0; i < limits.FailuresPerAddress; i++) throttle.Failed(IPAddress.Parse($"2001:db8::{i + 1}"), null);
        Assert.NotNull(throttle.Wait(IPAddress.Parse("2001:db8::ffff"), null));
        Assert.Null(throttle.Wait(IPAddress.Parse("2001:db8:0:1::1"), null));
        for (var i = 0; i < 1000; i++) throttle.Failed(Address(i), $"a{i}");
        Assert.Null(throttle.Wait(IPAddress.Parse("2001:db8::ffff"), null));
    }

    private static IPAddress Address(int number) => new([10, 0, (byte)(number >> 8), (byte)number]);
}
