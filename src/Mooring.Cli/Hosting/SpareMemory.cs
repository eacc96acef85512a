using System.Runtime.InteropServices;

namespace Mooring.Cli.Hosting;

/// <summary>
/// Gives back what a start needed and nothing has needed since: garbage, what malloc keeps for later, and pages of program files. Such pages stay in
/// the system's cache, where they are the first to go when memory is short; one that is wanted again is mapped within a microsecond. Without
/// this a daemon holds for as long as it runs what it touched once.
/// </summary>
/// <param name="collectsGarbage">Whether all garbage is collected, which halts a program that keeps a lot for too long.</param>
/// <param name="time">Clock of the rounds.</param>
internal sealed partial class SpareMemory(bool collectsGarbage, TimeProvider time) : BackgroundService
{
    /// <summary>A file that is only being loaded may have its addresses put in: what is given back was there, unchanged, one round before.</summary>
    internal static readonly TimeSpan FirstRound = TimeSpan.FromSeconds(10);

    internal static readonly TimeSpan Round = TimeSpan.FromMinutes(1);

    /// <summary>The longest line has a path, which is at most 4096 bytes.</summary>
    private const int LineBytesMax = 8192;

    /// <summary><c>MADV_DONTNEED</c> of madvise(2).</summary>
    private const int DontNeed = 4;

    private HashSet<(nuint Start, nuint End)> _before = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!OperatingSystem.IsLinux()) return;
        using var timer = new PeriodicTimer(FirstRound, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (_before.Count > 0) timer.Period = Round;
                Release();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            // The program stops, or may not see its own mappings.
        }
    }

    /// <summary>One round.</summary>
    /// <returns>How many mappings of files were given back.</returns>
    internal int Release()
    {
        if (collectsGarbage) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        TrimHeap();
        var now = ReadMappings();
        var released = 0;
        foreach (var mapping in now)
        {
            if (_before.Contains(mapping) && Advise(mapping.Start, mapping.End - mapping.Start, DontNeed) == 0) released++;
        }
        _before = [.. now];
        return released;
    }

    private static void TrimHeap()
    {
        try
        {
            TrimHeap(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Only glibc keeps so much that it has a function for this.
        }
    }

    private static List<(nuint Start, nuint End)> ReadMappings()
    {
        var found = new List<(nuint, nuint)>();
        var reader = new SmapsReader(found);
        using var smaps = File.OpenHandle("/proc/self/smaps");
        Span<byte> buffer = stackalloc byte[LineBytesMax];
        var (offset, kept) = (0L, 0);
        while (kept < buffer.Length && RandomAccess.Read(smaps, buffer[kept..], offset) is > 0 and var read)
        {
            offset += read;
            ReadOnlySpan<byte> text = buffer[..(kept + read)];
            while (text.IndexOf((byte)'\n') is >= 0 and var end)
            {
                reader.Add(text[..end]);
                text = text[(end + 1)..];
            }
            text.CopyTo(buffer);
            kept = text.Length;
        }
        return found;
    }

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nuint start, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint keep);
}
