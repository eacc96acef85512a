namespace Mooring.Edge.Agent.Metrics;

/// <summary>Load over a stretch of time: mean, smallest and largest value.</summary>
/// <param name="At">Unix seconds of its beginning.</param>
/// <param name="Cpu">Percent of processor time; for a device 100 is one processor, for the host all of them.</param>
/// <param name="Memory">MiB.</param>
internal readonly record struct Sample(long At, Spread Cpu, Spread Memory)
{
    /// <summary>A sample of one moment.</summary>
    public static Sample Of(long at, double cpu, double memory) => new(at, Spread.Of(cpu), Spread.Of(memory));
}

/// <summary>Mean, smallest and largest of a number of values.</summary>
internal readonly record struct Spread(float Mean, float Min, float Max)
{
    public static Spread Of(double value) => new((float)value, (float)value, (float)value);
}

/// <summary>Gathers samples into one.</summary>
internal struct SampleSum
{
    private double _cpu;
    private double _memory;
    private Spread _cpuBounds;
    private Spread _memoryBounds;

    /// <summary>How many were gathered.</summary>
    public int Count { get; private set; }

    public void Add(in Sample sample)
    {
        _cpuBounds = Count == 0 ? sample.Cpu : Widen(_cpuBounds, sample.Cpu);
        _memoryBounds = Count == 0 ? sample.Memory : Widen(_memoryBounds, sample.Memory);
        _cpu += sample.Cpu.Mean;
        _memory += sample.Memory.Mean;
        Count++;
    }

    /// <summary>All of them as one sample.</summary>
    public readonly Sample At(long at) => new(at,
        _cpuBounds with { Mean = (float)(_cpu / Count) }, _memoryBounds with { Mean = (float)(_memory / Count) });

    private static Spread Widen(Spread one, Spread other) => new(0, Math.Min(one.Min, other.Min), Math.Max(one.Max, other.Max));
}
