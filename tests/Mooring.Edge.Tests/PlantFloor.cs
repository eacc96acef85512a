using System.Diagnostics;
using Mooring.Testing;

[assembly: AssemblyFixture(typeof(Mooring.Edge.Tests.PlantFloor))]
[assembly: AssemblyFixture(typeof(Mooring.Edge.Tests.RoughPlantFloor))]

namespace Mooring.Edge.Tests;

/// <summary>
/// A real container engine on an edge host of its own with a plant LAN, in private network namespaces; made when the first test asks for it,
/// gone with the test program.
/// </summary>
public class PlantFloor : IAsyncLifetime
{
    private readonly string _suffix;

    public PlantFloor()
        : this("")
    {
    }

    /// <summary>Another plant beside the first, for tests that break theirs.</summary>
    protected PlantFloor(string suffix) => _suffix = suffix;

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-plant-").FullName;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private bool _up;

    public string SocketPath => Path.Combine(_folder, "docker.sock");

    /// <summary>The image that the agent uses for runtimes; it answers HTTP on port 8080.</summary>
    public const string RuntimeImage = "ghcr.io/autonomy-logic/openplc-runtime";

    private string HostNamespace => $"mh{Environment.ProcessId}{_suffix}";

    private string LanNamespace => $"ml{Environment.ProcessId}{_suffix}";

    /// <summary>Starts the program under test on the edge host: in its network, with the process ids of this machine.</summary>
    public ProcessUnderTest StartOnHost(params IEnumerable<string> arguments) => ProcessUnderTest.Start(
        "nsenter", [$"--net=/run/netns/{HostNamespace}", Path.Combine(AppContext.BaseDirectory, "mooring"), .. arguments]);

    /// <summary>As <see cref="StartOnHost(IEnumerable{string})"/>, with the engine where programs look for it.</summary>
    public ProcessUnderTest StartBesideEngine(string engineSocket, params IEnumerable<string> arguments) => ProcessUnderTest.Start(
        "nsenter", [$"--net=/run/netns/{HostNamespace}", "env", $"DOCKER_HOST=unix://{engineSocket}", Path.Combine(AppContext.BaseDirectory, "mooring"), .. arguments]);

    /// <summary>Runs a program on the plant's network, or with <paramref name="onHost"/> on the edge host.</summary>
    /// <returns>Its exit code and what it wrote.</returns>
    public async Task<(int ExitCode, string Output)> RunAsync(CancellationToken cancellationToken, bool onHost, params IEnumerable<string> command)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net=/run/netns/{(onHost ? HostNamespace : LanNamespace)}", .. command])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output + await error);
    }

    /// <summary>Makes an image that runs a line of shell.</summary>
    public async Task ImageAsync(CancellationToken cancellationToken, string name, string command)
    {
        var docker = $"docker -H unix://{SocketPath}";
        var (exitCode, output) = await RunAsync(cancellationToken, onHost: true, "sh", "-c",
            $"id=$({docker} create mooring/busybox:1) && {docker} commit -c 'CMD [\"/bin/sh\",\"-c\",\"{command}\"]' $id {name} && {docker} rm $id");
        Assert.True(exitCode == 0, output);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Brings the engine up unless it is.</summary>
    public async Task UpAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_up) return;
            await ScriptAsync("up", cancellationToken);
            await ScriptAsync("images", cancellationToken);
            _up = true;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Ends the engine or the DHCP server, and waits for its end.</summary>
    /// <param name="program">dockerd or dnsmasq.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task StopAsync(string program, CancellationToken cancellationToken)
    {
        using var process = Process.GetProcessById(PidOf(program));
        await RunAsync(cancellationToken, onHost: true, "kill", process.Id.ToString());
        await process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Where the DHCP server remembers its leases.</summary>
    public string LeasesPath => Path.Combine(_folder, "dnsmasq.leases");

    /// <summary>Plugs the other end of a cable into the plant's switch.</summary>
    public async Task MoveToLanAsync(string nic, CancellationToken cancellationToken)
    {
        await RunAsync(cancellationToken, onHost: true, "ip", "link", "set", nic, "netns", LanNamespace);
        await RunAsync(cancellationToken, onHost: false, "ip", "link", "set", nic, "master", "br-lan", "up");
    }

    /// <summary>Process of the engine or the DHCP server.</summary>
    public int PidOf(string program) => int.Parse(File.ReadAllText(Path.Combine(_folder, program + ".pid")));

    /// <summary>Starts what does not run, the DHCP server with another range when one is given.</summary>
    public async Task StartAsync(CancellationToken cancellationToken, string network = "192.168.77", string range = "100-200")
    {
        var ends = range.Split('-');
        await ScriptAsync("up", cancellationToken, ("MOORING_DHCP_RANGE", $"{network}.{ends[0]},{network}.{ends[1]}"), ("MOORING_LAN_GATEWAY", network + ".1"));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_up) await ScriptAsync("down", CancellationToken.None);
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        _gate.Dispose();
    }

    private async Task ScriptAsync(string name, CancellationToken cancellationToken, params IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(RepositoryRoot.Combine("eng", "engine", name)) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MOORING_ENGINE_DIR"] = _folder;
        start.Environment["MOORING_HOST_NS"] = HostNamespace;
        start.Environment["MOORING_LAN_NS"] = LanNamespace;
        start.Environment.Remove("DOCKER_HOST");
        foreach (var (variable, value) in environment) start.Environment[variable] = value;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new InvalidOperationException($"eng/engine/{name} ended with {process.ExitCode}: {await output}{await error}");
    }
}

/// <summary>The plant of the tests that restart its engine, change its network and pull its cables.</summary>
public sealed class RoughPlantFloor() : PlantFloor("b");
