using System.Globalization;
using System.Security.Cryptography;
using Mooring.Cli.Data;

namespace Mooring.Cli.Doctor;

/// <summary>The data folder: is it there, ours, writable, private, with room, and who has it.</summary>
internal static class FolderCheck
{
    private const string Name = "data folder";
    private const long Gibibyte = 1024L * 1024 * 1024;

    /// <summary>Below this the next checkpoint of the broker may find no room.</summary>
    private const long BytesMin = Gibibyte / 8;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    internal static IEnumerable<Finding> Run(string folder)
    {
        if (!Directory.Exists(folder))
        {
            yield return Finding.Good(Name, $"'{folder}' is not there yet; the first start makes it");
            yield break;
        }
        if (DataFolder.FormatProblem(folder) is { } problem)
        {
            yield return Finding.Bad(Name, problem, "use the newer version, or restore a backup with this one");
            yield break;
        }
        yield return Writable(folder);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(folder) & Others) != 0)
            yield return Finding.Odd(Name, $"'{folder}' can be read by other users of this machine, and it contains keys", $"chmod 700 '{folder}'");
        yield return Room(folder);
        yield return DataFolder.IsInUse(folder)
            ? Finding.Good(Name, $"Mooring runs on it ({ProcessOf(folder)})")
            : Finding.Good(Name, "nothing runs on it");
    }

    private static Finding Writable(string folder)
    {
        var probe = Path.Combine(folder, $".doctor-{RandomNumberGenerator.GetHexString(8)}.mooring-tmp");
        try
        {
            File.WriteAllText(probe, "x");
            File.Delete(probe);
            return Finding.Good(Name, $"'{folder}' can be written");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Finding.Bad(Name, $"'{folder}' cannot be written: {exception.Message}", "check owner, mount options and room");
        }
    }

    private static Finding Room(string folder)
    {
        try
        {
            var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
            var text = string.Create(CultureInfo.InvariantCulture, $"{free / (double)Gibibyte:F1} GiB are free");
            return free < BytesMin ? Finding.Bad(Name, text, "make room; the broker keeps no messages on a full disk")
                : free < Gibibyte ? Finding.Odd(Name, text, "make room soon") : Finding.Good(Name, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Finding.Odd(Name, $"its room is not known: {exception.Message}", "look at it with df");
        }
    }

    private static string ProcessOf(string folder)
    {
        try
        {
            return "process " + File.ReadAllText(Path.Combine(folder, DataFolder.ProcessFile)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "a role of its own";
        }
    }
}
