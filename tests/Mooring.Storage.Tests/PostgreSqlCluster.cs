using System.Diagnostics;
using Mooring.Testing;

namespace Mooring.Storage.Tests;

/// <summary>
/// A real PostgreSQL of the tests' own, in a temporary folder on a loopback port. Missing programs fail the tests; they come with the
/// package postgresql.
/// </summary>
public sealed class PostgreSqlCluster : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-postgresql-").FullName;
    private readonly int _port = FreePort.Next();
    private string _programs = "";

    public string Uri(string database) => $"postgresql://postgres@127.0.0.1:{_port}/{database}";

    public string KeyValues(string database) => $"Host=127.0.0.1;Port={_port};Username=postgres;Database={database}";

    /// <summary>A new, empty database; its address.</summary>
    public async Task<string> CreateAsync()
    {
        var name = "t" + Guid.NewGuid().ToString("N");
        await RunAsync("createdb", "-h", "127.0.0.1", "-p", $"{_port}", "-U", "postgres", name);
        return name;
    }

    public async ValueTask InitializeAsync()
    {
        _programs = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Order().Select(d => Path.Combine(d, "bin")).LastOrDefault() ?? ""
            : "";
        if (_programs.Length == 0) Assert.Fail("PostgreSQL is missing: install the package postgresql");
        // The server refuses to run as root.
        if (Environment.IsPrivilegedProcess) await RunProcessAsync("chown", ["postgres", _folder]);
        var data = Path.Combine(_folder, "data");
        await RunAsync("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8");
        await RunAsync(
            "pg_ctl", "-D", data, "-w", "-t", "60", "-l", Path.Combine(_folder, "log"),
            "-o", $"-p {_port} -k {_folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start");
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("pg_ctl", "-D", Path.Combine(_folder, "data"), "-m", "immediate", "-w", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    private Task RunAsync(string program, params string[] arguments)
    {
        program = Path.Combine(_programs, program);
        return Environment.IsPrivilegedProcess
            ? RunProcessAsync("runuser", ["-u", "postgres", "--", program, .. arguments])
            : RunProcessAsync(program, arguments);
    }

    private async Task RunProcessAsync(string program, IEnumerable<string> arguments)
    {
        // The output goes to a file: the server that pg_ctl starts would hold a pipe open.
        var output = Path.Combine(Path.GetTempPath(), $"mooring-{Guid.NewGuid():N}.out");
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >\"$0\" 2>&1", output, program, .. arguments])
        {
            WorkingDirectory = "/",
        })!;
        await process.WaitForExitAsync();
        var text = await File.ReadAllTextAsync(output);
        File.Delete(output);
        if (process.ExitCode != 0) Assert.Fail($"{program} failed: {text}");
    }
}
