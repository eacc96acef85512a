using System.Globalization;

namespace Mooring.Edge.NetMon;

/// <summary>The first process of a container, told apart from a later one with the same number by when it began.</summary>
/// <param name="Pid">Its number.</param>
/// <param name="StartedAt">When it began, in ticks since the machine was started.</param>
internal readonly record struct ContainerProcess(int Pid, long StartedAt)
{
    /// <summary>Looks a process up.</summary>
    /// <returns>The process; null when there is none of this number.</returns>
    public static ContainerProcess? Find(int pid) => ReadStart(pid) is { } started ? new ContainerProcess(pid, started) : null;

    /// <summary>Whether it still runs.</summary>
    public bool IsAlive => ReadStart(Pid) == StartedAt;

    private static long? ReadStart(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            // The name stands in parentheses and may hold anything; the state is the first field after it, the start the twentieth (proc(5)).
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
