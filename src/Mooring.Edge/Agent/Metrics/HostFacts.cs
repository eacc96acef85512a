namespace Mooring.Edge.Agent.Metrics;

/// <summary>What does not change about the machine while the agent runs.</summary>
/// <param name="MemoryMiB">Memory.</param>
/// <param name="Processors">Logical processors.</param>
/// <param name="OperatingSystem">Its pretty name.</param>
/// <param name="Kernel">Its release.</param>
/// <param name="DiskGiB">Size of all partitions.</param>
internal sealed record HostFacts(long MemoryMiB, int Processors, string OperatingSystem, string Kernel, double DiskGiB)
{
    /// <summary>Reads them.</summary>
    /// <param name="load">Reads memory and disks.</param>
    /// <param name="releaseFile">Names the system; in a container the host's file may be mounted here.</param>
    public static HostFacts Read(HostLoad load, string releaseFile = "/etc/os-release") => new(
        (long)(load.Memory().Total * 1024), Environment.ProcessorCount, PrettyName(releaseFile), KernelRelease(), load.Disks().Total);

    private static string PrettyName(string file)
    {
        const string Key = "PRETTY_NAME=";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line is null ? System.Runtime.InteropServices.RuntimeInformation.OSDescription : line[Key.Length..].Trim('"', '\'');
    }

    private static string KernelRelease()
    {
        const string File = "/proc/sys/kernel/osrelease";
        return System.IO.File.Exists(File) ? System.IO.File.ReadAllText(File).Trim() : Environment.OSVersion.Version.ToString();
    }
}
