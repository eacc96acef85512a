using Google.Protobuf;
using Mooring.Fleet.VirtualCars;
using Mooring.Fleet.VirtualCars.Devices;
using Mooring.Kernel.Options;

namespace Mooring.Fleet.Tests.VirtualCars;

public sealed class VirtualCarPartsTests
{
    [Fact]
    public void OpenStatuses_countOverTheEndOfTheNumbers_andCloseInAnyOrder()
    {
        var open = new OpenStatuses(uint.MaxValue - 1, 5);
        for (var i = 0; i < 5; i++) open.Open(TimeSpan.FromSeconds(i));
        Assert.True(open.IsFull);
        Assert.Null(open.Close(uint.MaxValue - 2));
        Assert.Null(open.Close(3));
        Assert.Equal(TimeSpan.FromSeconds(2), open.Close(0));
        Assert.Null(open.Close(0));
        Assert.Equal((5, TimeSpan.Zero), (open.Count, open.OldestSentAt));
        open.Close(uint.MaxValue - 1);
        Assert.Equal((4, TimeSpan.FromSeconds(1)), (open.Count, open.OldestSentAt));
        open.Close(uint.MaxValue);
        Assert.Equal((2, TimeSpan.FromSeconds(3)), (open.Count, open.OldestSentAt));
        open.Close(1);
        open.Close(2);
        Assert.Equal((0, null), (open.Count, open.OldestSentAt));
        Assert.Equal(3u, open.Open(TimeSpan.Zero));
    }

    [Fact]
    public void RoundTripTimes_areRightToAFewPercent_fromMicrosecondsToHours()
    {
        for (var microseconds = 1L; microseconds < 3_600_000_000; microseconds = (microseconds * 7 / 5) + 1)
        {
            var times = new RoundTripTimes();
            times.Add(TimeSpan.FromMicroseconds(microseconds));
            Assert.InRange(RoundTripTimes.Percentile(0.5, times.Snapshot()).TotalMicroseconds, microseconds, microseconds * 1.07);
        }
    }

    [Fact]
    public void Percentiles_areThoseOfTheTimesSinceASnapshot()
    {
        var times = new RoundTripTimes();
        Assert.Equal(TimeSpan.Zero, RoundTripTimes.Percentile(0.99, times.Snapshot()));
        times.Add(TimeSpan.FromSeconds(1));
        var before = times.Snapshot();
        for (var i = 1; i <= 100; i++) times.Add(TimeSpan.FromMicroseconds(i <= 98 ? 5 : 12));
        Assert.Equal(TimeSpan.FromMicroseconds(5), RoundTripTimes.Percentile(0.98, times.Snapshot(), before));
        Assert.Equal(TimeSpan.FromMicroseconds(12), RoundTripTimes.Percentile(0.99, times.Snapshot(), before));
        Assert.Equal(TimeSpan.Zero, RoundTripTimes.Percentile(0.5, times.Snapshot(), times.Snapshot()));
    }

    [Fact]
    public void Drive_drains_stopsToCharge_andGoesOn()
    {
        var drive = new DriveDevice(new VirtualDeviceOptions(VirtualDeviceKind.Drive, "d"), 0);
        Assert.StartsWith("{\"speed\": 10.4, \"battery\": 99, \"charging\": false, \"latitude\": 49.19", Report(1), StringComparison.Ordinal);
        Assert.Contains("\"battery\": 25,", Report(100), StringComparison.Ordinal);
        drive.Keep(ByteString.CopyFromUtf8("{\"charge\": true}"), 3);
        Assert.StartsWith("{\"speed\": 0.0, \"battery\": 55, \"charging\": true", Report(110), StringComparison.Ordinal);
        drive.Keep(ByteString.CopyFromUtf8("{\"charge\": 1}"), 3);
        Assert.Contains("\"charging\": true", Report(111), StringComparison.Ordinal);
        drive.Keep(ByteString.CopyFromUtf8("{\"charge\": false}"), 3);
        Assert.Contains("\"charging\": false", Report(112), StringComparison.Ordinal);
        Report(5000);
        Assert.StartsWith("{\"speed\": 0.0, \"battery\": 0,", Report(5001), StringComparison.Ordinal);

        string Report(int second) => drive.Report(TimeSpan.FromSeconds(second)).ToStringUtf8();
    }

    [Fact]
    public void Echo_countsWhatComesBackUnchanged()
    {
        var echo = new EchoDevice(new VirtualDeviceOptions(VirtualDeviceKind.Echo, "e") { PayloadBytes = 300 });
        var status = echo.Report(TimeSpan.Zero);
        Assert.Equal(300, status.Length);
        foreach (var command in new[] { status, ByteString.CopyFrom(status.Span[..299]), ByteString.CopyFromUtf8("?") })
        {
            echo.Keep(command, 3);
            echo.Report(TimeSpan.Zero);
        }
        Assert.Equal(1, echo.Echoes);
    }

    [Fact]
    public void Options_reportAllThatIsWrong()
    {
        var errors = new OptionsErrors();
        new VirtualCarOptions
        {
            Company = "Big Co",
            Names = ["a", "a", "B"],
            Devices = [new(VirtualDeviceKind.Echo, "") { PayloadBytes = 1 }, new(VirtualDeviceKind.Drive, "x"), new(VirtualDeviceKind.Drive, "x")],
            StatusesPerSecond = -1,
            Window = 0,
            StartsPerSecond = 0,
            Timings = new GatewayTimings { Step = TimeSpan.Zero },
        }.Validate(errors);
        Assert.Equal(
            ["company", "devices", "devices[0].payloadBytes", "devices[0].role", "names", "names", "startsPerSecond", "statusesPerSecond", "timings.step", "window"],
            errors.All.Select(e => e.Key).Order(StringComparer.Ordinal));
    }
}
