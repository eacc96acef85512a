using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Metrics;

namespace Mooring.Edge.Tests.Agent.Metrics;

public sealed class LoadHistoryTests : IDisposable
{
    private const long Start = 1_700_000_100;
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-history-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void D36_Samples_AreReadBackInOrder_ByAnotherProcessToo()
    {
        using (var history = new LoadHistory(_folder, "plc"))
            for (var i = 0; i < 100; i++) history.Add(Start + (5 * i), i, 10 * i);
        using var again = new LoadHistory(_folder, "plc");
        var (samples, resolution) = again.Query(Start + 50, Start + 100, Start + 495, 2000);
        Assert.Equal(5, resolution);
        Assert.Equal(Enumerable.Range(10, 11).Select(i => (Start + (5 * i), (float)i)), samples.Select(s => (s.At, s.Cpu.Mean)));
    }

    [Fact]
    public void OldSamples_AreOverwrittenAfterTwoDaysAndCoarserOnesStay()
    {
        using var history = new LoadHistory(_folder, "plc");
        const int TwoDays = 34_560;
        for (var i = 0; i < TwoDays + 720; i++) history.Add(Start + (5L * i), i < 720 ? 50 : 10, 1);
        var now = Start + (5L * (TwoDays + 719));
        var (fine, step) = history.Query(now - (5L * (TwoDays - 1)), now, now, int.MaxValue);
        Assert.Equal((TwoDays, 5), (fine.Count, step));
        Assert.All(fine, s => Assert.Equal(10, s.Cpu.Mean));
        // The first hour is gone at 5 s, and there minute by minute.
        var (coarse, minute) = history.Query(Start, Start + 3599, now, 2000);
        Assert.Equal(60, minute);
        Assert.InRange(coarse.Count, 59, 61);
        Assert.Contains(coarse, s => s.Cpu.Mean == 50);
    }

    [Fact]
    public void D19_ManySamples_AreGatheredWithTheirExtremes()
    {
        using var history = new LoadHistory(_folder, "plc");
        for (var i = 0; i < 1000; i++) history.Add(Start + (5L * i), i == 500 ? 99 : 1, i);
        var (samples, resolution) = history.Query(Start, Start + 5000, Start + 4995, 100);
        Assert.InRange(samples.Count, 90, 100);
        Assert.Equal(50, resolution);
        Assert.Equal(99, samples.Max(s => s.Cpu.Max));
        Assert.True(samples.Max(s => s.Cpu.Mean) < 99);
        Assert.Equal(0, samples[0].Memory.Min);
    }

    [Fact]
    public void EmptyOrDamagedFile_GivesWhatIsWhole()
    {
        using (var empty = new LoadHistory(_folder, "a"))
            Assert.Empty(empty.Query(Start, Start + 100, Start + 100, 10).Samples);
        using (var history = new LoadHistory(_folder, "b"))
            for (var i = 0; i < 10; i++) history.Add(Start + (5 * i), i, i);
        var file = Directory.GetFiles(_folder, "b.5s").Single();
        var bytes = File.ReadAllBytes(file);
        new Random(3).NextBytes(bytes.AsSpan(bytes.Length - (5 * SampleRing.SlotBytes)));
        File.WriteAllBytes(file, bytes);
        using var again = new LoadHistory(_folder, "b");
        Assert.Equal(5, again.Query(Start, Start + 100, Start + 100, 100).Samples.Count);
    }

    [Fact]
    public void Deleting_RemovesTheFilesOfOneSeries()
    {
        new LoadHistory(_folder, "../a").Dispose();
        new LoadHistory(_folder, "b").Dispose();
        Assert.Equal(6, Directory.GetFiles(_folder).Length);
        LoadHistory.Delete(_folder, "../a");
        Assert.Equal(3, Directory.GetFiles(_folder).Length);
    }

    [Theory]
    [InlineData("1000,2000", 1000, 2000, true)]
    [InlineData(" 1000 , 2000.5 ", 1000, 2000, true)]
    [InlineData("24h", 9_913_600, 10_000_000, true)]
    [InlineData("30m", 9_998_200, 10_000_000, true)]
    [InlineData("2d", 9_827_200, 10_000_000, true)]
    [InlineData("90", 9_999_910, 10_000_000, true)]
    [InlineData("1.5h", 9_994_600, 10_000_000, true)]
    [InlineData("", 9_996_400, 10_000_000, false)]
    [InlineData("soon", 9_996_400, 10_000_000, false)]
    [InlineData("-5h", 9_996_400, 10_000_000, false)]
    [InlineData("1,2,3", 9_996_400, 10_000_000, false)]
    [InlineData("1e300h", 9_996_400, 10_000_000, false)]
    [InlineData("99999999999999d", -305_360_000, 10_000_000, true)]
    public void Period_IsReadAsHubsWriteIt(string text, long from, long to, bool isGood)
    {
        Assert.Equal(new Period(from, to), Period.Parse(text, 10_000_000, out var good));
        Assert.Equal(isGood, good);
    }

    [Fact]
    public void HostLoad_IsThatOfThisMachine()
    {
        var load = new HostLoad();
        Assert.InRange(load.CpuPercent(), 0, 100);
        Assert.InRange(load.CpuPercent(), 0, 100);
        var (used, total) = load.Memory();
        Assert.True(used >= 0 && total >= used && total > 0);
        var facts = HostFacts.Read(load);
        Assert.NotEmpty(facts.OperatingSystem);
        Assert.NotEmpty(facts.Kernel);
    }

    [Fact]
    public void Disks_AreCountedOnce_WithoutWhatIsNoDisk_AndWhatCannotBeRead()
    {
        var root = new DriveInfo("/");
        var expected = (Math.Round((root.TotalSize - root.TotalFreeSpace) / (1024.0 * 1024 * 1024), 1), Math.Round(root.TotalSize / (1024.0 * 1024 * 1024), 1));
        File.WriteAllText(Path.Combine(_folder, "mounts"), """
            /dev/one / ext4 rw 0 0
            /dev/one /again ext4 rw 0 0
            tmpfs / tmpfs rw 0 0
            overlay / overlay rw 0 0
            /dev/loop0 / squashfs ro 0 0
            none / ext4 rw 0 0
            /dev/two /no/such/folder\040here ext4 rw 0 0

            broken
            """);
        var (used, total) = new HostLoad(_folder).Disks();
        Assert.Equal(expected.Item2, total);
        Assert.InRange(used, expected.Item1 - 1, expected.Item1 + 1);
    }

    [Fact]
    public void DeviceLoad_IsPercentOfOneProcessor_WithoutCaches_AndZeroWhereNothingWent()
    {
        var load = new DeviceLoad();
        Assert.Equal((0, 512), load.Next(Stats(usage: 1_000, system: 10_000, processors: 4)));
        Assert.Equal((200, 512), load.Next(Stats(usage: 1_500, system: 11_000, processors: 4)));
        // No time went, the container was started anew, the engine says nothing of processors.
        Assert.Equal((0, 512), load.Next(Stats(usage: 1_500, system: 11_000, processors: 4)));
        Assert.Equal((0, 512), load.Next(Stats(usage: 10, system: 12_000, processors: 4)));
        Assert.Equal((100, 512), load.Next(Stats(usage: 510, system: 13_000, processors: null, perProcessor: 2)));
        Assert.Equal((50, 512), load.Next(Stats(usage: 1_010, system: 14_000, processors: 0)));
        Assert.Equal((0, 0), new DeviceLoad().Next(new ContainerStats()));
        Assert.Equal(100, new DeviceLoad().Next(new ContainerStats { MemoryStats = new MemoryStats(200UL << 20, new Dictionary<string, ulong> { ["total_inactive_file"] = 100UL << 20 }) }).Memory);

        static ContainerStats Stats(ulong usage, ulong system, int? processors, int perProcessor = 0) => new()
        {
            CpuStats = new CpuStats { CpuUsage = new CpuUsage(usage, perProcessor == 0 ? null : new ulong[perProcessor]), SystemCpuUsage = system, OnlineCpus = processors },
            MemoryStats = new MemoryStats(1024UL << 20, new Dictionary<string, ulong> { ["inactive_file"] = 512UL << 20 }),
        };
    }

    [Fact]
    public void HostLoad_CountsTimeSinceTheLastCall()
    {
        File.WriteAllText(Path.Combine(_folder, "stat"), "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3 4\n");
        var load = new HostLoad(_folder);
        Assert.Equal(20, load.CpuPercent());
        File.WriteAllText(Path.Combine(_folder, "stat"), "cpu  150 0 100 750 100 0 0 0 50 0\n");
        Assert.Equal(50, load.CpuPercent());
        Assert.Equal(0, load.CpuPercent());
    }
}
