namespace Mooring.Edge.Agent.Metrics;

/// <summary>
/// The load of one device, or of the host, over three months: every 5 s for two days, every minute for two weeks, every quarter of an hour for
/// ninety days. It outlives the agent.
/// </summary>
internal sealed class LoadHistory : IDisposable
{
    /// <summary>Seconds between the samples of the finest resolution.</summary>
    public const int FinestResolution = 5;

    /// <summary>Seconds from one slot to the next, and how many there are.</summary>
    private static readonly (int Step, int Capacity)[] Resolutions = [(FinestResolution, 34_560), (60, 20_160), (900, 8_640)];

    private readonly Lock _gate = new();
    private readonly SampleRing[] _rings;
    private readonly SampleSum[] _sums = new SampleSum[Resolutions.Length];
    private readonly long[] _since = new long[Resolutions.Length];

    /// <summary>Opens or makes the files of a series.</summary>
    /// <param name="folder">Where they lie.</param>
    /// <param name="name">The series; any text.</param>
    public LoadHistory(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        _rings = [.. Resolutions.Select(r => new SampleRing(PathOf(folder, name, r.Step), r.Step, r.Capacity))];
    }

    /// <summary>Adds a sample of one moment.</summary>
    /// <param name="at">Unix seconds; not before the sample before.</param>
    /// <param name="cpu">Percent.</param>
    /// <param name="memory">MiB.</param>
    public void Add(long at, double cpu, double memory)
    {
        var sample = Sample.Of(at, cpu, memory);
        lock (_gate)
        {
            _rings[0].Write(sample);
            for (var i = 1; i < _rings.Length; i++)
            {
                var begins = at - (at % _rings[i].Step);
                if (begins != _since[i]) _sums[i] = default;
                _since[i] = begins;
                _sums[i].Add(sample);
                // Written each time, so that a kill loses nothing and the present stretch can be read.
                _rings[i].Write(_sums[i].At(begins));
            }
        }
    }

    /// <summary>The load of a stretch of time.</summary>
    /// <param name="from">First Unix second.</param>
    /// <param name="to">Last Unix second.</param>
    /// <param name="now">The present.</param>
    /// <param name="maxPoints">More are gathered into this many.</param>
    /// <returns>The samples, oldest first, and how many seconds each stands for.</returns>
    public (IReadOnlyList<Sample> Samples, int Resolution) Query(long from, long to, long now, int maxPoints)
    {
        lock (_gate)
        {
            var ring = _rings.FirstOrDefault(r => now - from < r.Reach) ?? _rings[^1];
            var samples = ring.Read(from, to, now).ToList();
            if (samples.Count <= maxPoints) return (samples, ring.Step);
            var step = ring.Step * (int)Math.Ceiling(samples.Count / (double)maxPoints);
            return (Gather(samples, step), step);
        }
    }

    /// <summary>Deletes the files of a series.</summary>
    public static void Delete(string folder, string name)
    {
        foreach (var (step, _) in Resolutions) File.Delete(PathOf(folder, name, step));
    }

    public void Dispose()
    {
        foreach (var ring in _rings) ring.Dispose();
    }

    private static List<Sample> Gather(List<Sample> samples, int step)
    {
        var gathered = new List<Sample>();
        var first = samples[0].At;
        foreach (var group in samples.GroupBy(s => (s.At - first) / step))
        {
            var sum = default(SampleSum);
            foreach (var sample in group) sum.Add(sample);
            gathered.Add(sum.At(first + (group.Key * step)));
        }
        return gathered;
    }

    private static string PathOf(string folder, string name, int step) =>
        Path.Combine(folder, $"{Uri.EscapeDataString(name).Replace(".", "%2E", StringComparison.Ordinal)}.{step}s");
}
