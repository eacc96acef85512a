using System.Globalization;
using System.Runtime.InteropServices;

namespace Mooring.Cli.Doctor;

/// <summary>The clock: certificates, sessions and histories trust it.</summary>
internal static partial class ClockCheck
{
    private const string Name = "clock";

    // TIME_ERROR of adjtimex(2): the kernel does not believe its clock to be right.
    private const int NotSynchronised = 5;

    /// <summary>More than <c>struct timex</c> has on any Linux; its first field, 0, only asks.</summary>
    private const int TimexBytes = 512;

    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    internal static IEnumerable<Finding> Run(string folder, DateTimeOffset now)
    {
        var newest = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder).Select(File.GetLastWriteTimeUtc).DefaultIfEmpty(DateTime.MinValue).Max()
            : DateTime.MinValue;
        var text = now.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
        yield return newest > now.UtcDateTime + Tolerance
            ? Finding.Bad(Name, $"{text}, but the data folder was written at {newest:yyyy-MM-dd HH:mm:ss} UTC", "set the clock; certificates and sessions depend on it")
            : Finding.Good(Name, text);
        if (OperatingSystem.IsLinux() && State() == NotSynchronised)
            yield return Finding.Odd(Name, "the kernel says that it is not synchronised", "run a time service such as chrony or systemd-timesyncd");
    }

    private static int State()
    {
        Span<byte> timex = stackalloc byte[TimexBytes];
        timex.Clear();
        return Adjust(ref MemoryMarshal.GetReference(timex));
    }

    [LibraryImport("libc", EntryPoint = "ntp_adjtime")]
    private static partial int Adjust(ref byte timex);
}
