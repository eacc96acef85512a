using System.Net;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Tunnel;

/// <summary>A way from the load generator to the origin, and the processes in between.</summary>
internal sealed class TunnelPath(string name, IPEndPoint target, string host, IReadOnlyList<PeerProcess> processes, string? folder = null) : IAsyncDisposable
{
    public string Name => name;

    public IPEndPoint Target => target;

    /// <summary>For the Host field.</summary>
    public string Host => host;

    /// <summary>CPU seconds of the processes in between, their children included.</summary>
    public double CpuSeconds => Samples().Sum(sample => sample.CpuSeconds);

    public double ResidentMegabytes => Samples().Sum(sample => sample.ResidentKilobytes) / 1024.0;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes.Reverse()) await process.DisposeAsync();
        if (folder is not null) Directory.Delete(folder, recursive: true);
    }

    private IEnumerable<ProcessSample> Samples() => processes.SelectMany(process => Tree(process.Id)).Select(id => ProcessSample.Of(id)).OfType<ProcessSample>();

    // nginx and sshd work in children.
    private static IEnumerable<int> Tree(int process)
    {
        yield return process;
        string[] children;
        try
        {
            children = File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (IOException)
        {
            yield break;
        }
        foreach (var child in children)
        {
            foreach (var id in Tree(int.Parse(child, System.Globalization.CultureInfo.InvariantCulture))) yield return id;
        }
    }
}
