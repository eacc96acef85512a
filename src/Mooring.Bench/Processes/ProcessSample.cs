using System.Globalization;

namespace Mooring.Bench.Processes;

/// <summary>What the kernel says about a process at one moment.</summary>
/// <param name="CpuSeconds">User and system time of all its threads, ended ones included.</param>
/// <param name="ResidentKilobytes">Resident memory (VmRSS).</param>
/// <param name="Threads">Number of threads.</param>
internal readonly record struct ProcessSample(double CpuSeconds, long ResidentKilobytes, int Threads)
{
    // USER_HZ: the unit of times in /proc is 1/100 s on every Linux that .NET supports.
    private const double TicksPerSecond = 100;
    private const int UserTimeField = 11;
    private const int SystemTimeField = 12;

    /// <summary>Reads /proc; null when the process is unknown, gone, or the system has no /proc.</summary>
    internal static ProcessSample? Of(int? processId)
    {
        if (processId is not { } id) return null;
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // The command name may hold spaces and brackets; fields are counted after its last bracket.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = Number(fields[UserTimeField]) + Number(fields[SystemTimeField]);
            long resident = 0;
            var threads = 0;
            foreach (var line in File.ReadLines($"/proc/{id}/status"))
            {
                if (line.StartsWith("VmRSS:", StringComparison.Ordinal)) resident = Number(Value(line));
                if (line.StartsWith("Threads:", StringComparison.Ordinal)) threads = (int)Number(Value(line));
            }
            return new ProcessSample(ticks / TicksPerSecond, resident, threads);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Value(string line) =>
        line.Split(['\t', ' ', ':'], StringSplitOptions.RemoveEmptyEntries)[1];

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
