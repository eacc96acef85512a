using System.Buffers.Binary;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>
/// The samples of one series in one resolution: a file of equal slots, in which the time of a sample decides its slot. So there is no
/// pointer to keep, an old sample is overwritten by the one that takes its place, and a write that was cut shows by a time that does not
/// belong into its slot.
/// </summary>
internal sealed class SampleRing : IDisposable
{
    /// <summary>Eight bytes of time and six numbers of four bytes, little-endian.</summary>
    internal const int SlotBytes = 32;

    private const int SlotsPerRead = 2048;

    private readonly Microsoft.Win32.SafeHandles.SafeFileHandle _file;

    /// <summary>Opens or makes the file. Slots that were never written take no room on the disk.</summary>
    /// <param name="path">The file.</param>
    /// <param name="step">Seconds from one slot to the next.</param>
    /// <param name="capacity">How many slots there are.</param>
    public SampleRing(string path, int step, int capacity)
    {
        Step = step;
        Capacity = capacity;
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
    }

    /// <summary>Seconds from one slot to the next.</summary>
    public int Step { get; }

    /// <summary>How many slots there are.</summary>
    public int Capacity { get; }

    /// <summary>How many seconds the ring reaches back.</summary>
    public long Reach => (long)Step * Capacity;

    /// <summary>Writes a sample over the one that stood there a whole turn ago.</summary>
    public void Write(in Sample sample)
    {
        Span<byte> slot = stackalloc byte[SlotBytes];
        BinaryPrimitives.WriteInt64LittleEndian(slot, sample.At);
        Put(slot[8..], sample.Cpu);
        Put(slot[20..], sample.Memory);
        RandomAccess.Write(_file, slot, SlotOf(sample.At) * SlotBytes);
    }

    /// <summary>The samples of a stretch of time, oldest first.</summary>
    /// <param name="from">First second.</param>
    /// <param name="to">Last second.</param>
    /// <param name="now">The present: what is older than a whole turn has been overwritten, or should have been.</param>
    public IEnumerable<Sample> Read(long from, long to, long now)
    {
        from = Math.Max(from, now - Reach + Step);
        to = Math.Min(to, now);
        if (from > to) yield break;
        var buffer = new byte[SlotsPerRead * SlotBytes];
        var (slot, last) = (SlotOf(from), SlotOf(to));
        var left = ((last - slot + Capacity) % Capacity) + 1;
        while (left > 0)
        {
            var count = (int)Math.Min(Math.Min(left, SlotsPerRead), Capacity - slot);
            buffer.AsSpan().Clear();
            RandomAccess.Read(_file, buffer.AsSpan(0, count * SlotBytes), slot * SlotBytes);
            for (var i = 0; i < count; i++)
                if (Get(buffer.AsSpan(i * SlotBytes, SlotBytes)) is var sample && sample.At >= from && sample.At <= to && SlotOf(sample.At) == slot + i)
                    yield return sample;
            left -= count;
            slot = (slot + count) % Capacity;
        }
    }

    public void Dispose() => _file.Dispose();

    private long SlotOf(long at) => at / Step % Capacity;

    private static void Put(Span<byte> place, Spread spread)
    {
        BinaryPrimitives.WriteSingleLittleEndian(place, spread.Mean);
        BinaryPrimitives.WriteSingleLittleEndian(place[4..], spread.Min);
        BinaryPrimitives.WriteSingleLittleEndian(place[8..], spread.Max);
    }

    private static Sample Get(ReadOnlySpan<byte> slot) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(slot), Numbers(slot[8..]), Numbers(slot[20..]));

    private static Spread Numbers(ReadOnlySpan<byte> place) => new(BinaryPrimitives.ReadSingleLittleEndian(place),
        BinaryPrimitives.ReadSingleLittleEndian(place[4..]), BinaryPrimitives.ReadSingleLittleEndian(place[8..]));
}
