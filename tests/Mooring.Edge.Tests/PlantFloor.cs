using System.Diagnostics;
using Mooring.Testing;

[assembly: AssemblyFixture(typeof(Mooring.Edge.Tests.PlantFloor))]

namespace Mooring.Edge.Tests;

/// <summary>
/// A real container engine on an edge host of its own with a plant LAN, in private network namespaces; made when the first test asks for it,
/// gone with the test program.
/// </summary>
public sealed class PlantFloor : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-plant-").FullName;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private bool _up;

    public string SocketPath => Path.Combine(_folder, "docker.sock");

    /// <summary>The image that the agent uses for runtimes; it answers HTTP on port 8080.</summary>
    public const string RuntimeImage = "ghcr.io/autonomy-logic/openplc-runtime";

    /// <summary>Collection of the tests whose programs listen on their usual ports of the edge host: one after the other.</summary>
    public const string UsualPorts = "usual ports of the edge host";

    private string HostNamespace => "mh" + Environment.ProcessId;

    private string LanNamespace => "ml" + Environment.ProcessId;

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

    public async ValueTask DisposeAsync()
    {
        if (_up) await ScriptAsync("down", CancellationToken.None);
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        _gate.Dispose();
    }

    private async Task ScriptAsync(string name, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(RepositoryRoot.Combine("eng", "engine", name)) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MOORING_ENGINE_DIR"] = _folder;
        start.Environment["MOORING_HOST_NS"] = HostNamespace;
        start.Environment["MOORING_LAN_NS"] = LanNamespace;
        start.Environment.Remove("DOCKER_HOST");
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new InvalidOperationException($"eng/engine/{name} ended with {process.ExitCode}: {await output}{await error}");
    }
}
