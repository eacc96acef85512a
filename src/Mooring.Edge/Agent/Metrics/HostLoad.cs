using System.Globalization;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>The load of the machine, read from <c>/proc</c>.</summary>
/// <param name="proc">The folder; another one in tests.</param>
internal sealed class HostLoad(string proc = "/proc")
{
    /// <summary>File systems that are not on a disk of this machine, or are there a second time.</summary>
    private static readonly HashSet<string> NotDisks = new(StringComparer.Ordinal)
    {
        "tmpfs", "devtmpfs", "overlay", "squashfs", "ramfs", "proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "pstore", "autofs",
        "devpts", "mqueue", "hugetlbfs", "fusectl", "none",
    };

    private const double GiB = 1024.0 * 1024 * 1024;
    private (ulong Busy, ulong Total) _last;

    /// <summary>Percent of all processors' time that was used since the last call; since boot at the first.</summary>
    public double CpuPercent()
    {
        var (busy, total) = ReadCpu();
        var (lastBusy, lastTotal) = _last;
        _last = (busy, total);
        if (total <= lastTotal) return 0;
        return Math.Round(Math.Clamp(100.0 * (busy - Math.Min(lastBusy, busy)) / (total - lastTotal), 0, 100), 1);
    }

    /// <summary>Used and whole memory in GiB, one decimal. Caches do not count as used.</summary>
    public (double Used, double Total) Memory()
    {
        var values = File.ReadLines(Path.Combine(proc, "meminfo"))
            .Select(line => line.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts.Length >= 2)
            .GroupBy(parts => parts[0]).ToDictionary(g => g.Key, g => double.Parse(g.First()[1], CultureInfo.InvariantCulture) * 1024);
        double Value(string name) => values.GetValueOrDefault(name);
        var used = Value("MemTotal") - Value("MemFree") - Value("Buffers") - Value("Cached") - Value("SReclaimable");
        return (Math.Round(Math.Max(used, 0) / GiB, 1), Math.Round(Value("MemTotal") / GiB, 1));
    }

    /// <summary>Used and whole size in GiB of all mounted partitions, each block device once, one decimal. What cannot be read is left out.</summary>
    public (double Used, double Total) Disks()
    {
        double used = 0, total = 0;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(Path.Combine(proc, "mounts")))
        {
            if (line.Split(' ') is not [var device, var mount, var type, ..]) continue;
            if (NotDisks.Contains(type) || !device.StartsWith('/') || !seen.Add(device)) continue;
            try
            {
                var drive = new DriveInfo(mount.Replace("\\040", " ", StringComparison.Ordinal));
                used += drive.TotalSize - drive.TotalFreeSpace;
                total += drive.TotalSize;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // Not readable for this user, or gone since: the others still count.
            }
        }
        return (Math.Round(used / GiB, 1), Math.Round(total / GiB, 1));
    }

    private (ulong Busy, ulong Total) ReadCpu()
    {
        // user nice system idle iowait irq softirq steal; guest time is in user already (proc(5)).
        var fields = File.ReadLines(Path.Combine(proc, "stat")).First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Take(8).Select(f => ulong.Parse(f, CultureInfo.InvariantCulture)).ToArray();
        var total = fields.Aggregate(0UL, (sum, field) => sum + field);
        return (total - fields[3] - (fields.Length > 4 ? fields[4] : 0), total);
    }
}
