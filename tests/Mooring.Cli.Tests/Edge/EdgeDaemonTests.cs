using System.Text.Json;
using System.Text.RegularExpressions;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Edge;

/// <summary>The daemons of an edge host load what they need, and nothing of the verbs that nobody asked for.</summary>
public sealed partial class EdgeDaemonTests : MooringTest
{
    /// <summary>Web server, databases, telemetry, the console's drawings, data of locales, compiled expressions, other slices.</summary>
    private static readonly string[] NotNeeded =
    [
        "Microsoft.AspNetCore", "e_sqlite3", "SQLite", "Npgsql", "OpenTelemetry", "Spectre", "OpenApi", "libicu", "System.Linq.Expressions", "Mooring.Bench",
        "Mooring.Chat", "Mooring.Fleet", "Mooring.Mqtt", "Mooring.Storage", "Mooring.Tunnel", "Mooring.Web",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-daemon-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task ConnectedAgent_HasLoadedNothingOfOtherVerbs()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        var enrol = Run("hub", "enroll", "plant01", "--data", _folder);
        Assert.Equal(0, await enrol.ExitAsync(TestTimeout));
        string Of(string file) => Path.Combine(_folder, "plant01", file);
        var agent = Run(
            "agent", "--server", $"https://127.0.0.1:{up.PortOf("hub for agents")}", "--cert", Of("client.crt"), "--key", Of("client.key"), "--ca", Of("ca.crt"),
            "--data-dir", Path.Combine(_folder, "agent"), "--engine-socket", Path.Combine(_folder, "no-engine.sock"));
        await agent.LineAsync("connected to the hub", TestTimeout);
        Assert.DoesNotContain(LoadedBy(agent), file => NotNeeded.Any(name => file.Contains(name, StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task Monitor_HasLoadedNothingOfOtherVerbs_AndNoCryptography()
    {
        var monitor = Run("netmon", "--data-dir", _folder, "--serial-dir", Path.Combine(_folder, "by-id"));
        await monitor.LineAsync("the network monitor listens", TestTimeout);
        Assert.DoesNotContain(LoadedBy(monitor), file => NotNeeded.Concat(["libssl", "libcrypto"]).Any(name => file.Contains(name, StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task Monitor_WithJsonLines_TellsObjects()
    {
        var monitor = Run("netmon", "--data-dir", _folder, "--serial-dir", Path.Combine(_folder, "by-id"), "--log-format", "json");
        var line = JsonElement.Parse(await monitor.LineAsync("the network monitor listens", TestTimeout));
        Assert.Equal("Information", line.GetProperty("LogLevel").GetString());
        Assert.Contains("the network monitor listens", line.GetProperty("Message").GetString(), StringComparison.Ordinal);
    }

    private ProcessUnderTest Run(params string[] arguments) =>
        Own(ProcessUnderTest.Start(Path.Combine(AppContext.BaseDirectory, "mooring"), arguments, folder: _folder));

    private static HashSet<string> LoadedBy(ProcessUnderTest process) =>
        [.. File.ReadLines($"/proc/{process.Id}/maps").Select(line => FileOf().Match(line).Value).Where(file => file.Length > 0).Select(file => Path.GetFileName(file))];

    [GeneratedRegex("/.*$")]
    private static partial Regex FileOf();
}
