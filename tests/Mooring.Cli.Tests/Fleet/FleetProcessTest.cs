using System.Diagnostics;
using System.Text.Json.Nodes;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Fleet;

/// <summary>The built program with a configuration file and a native module, as a user of the original would start it.</summary>
public abstract class FleetProcessTest : MooringTest
{
    private protected static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");
    private static readonly Lazy<string> BuiltSample = new(BuildSample);

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("mooring-fleet-").FullName;

    private protected string ConfigPath => Path.Combine(Folder, "config.json");

    private protected static string Sample => BuiltSample.Value;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A configuration of the present shape; <paramref name="change"/> changes it before it is written.</summary>
    private protected void Configure(int port, Action<JsonNode>? change = null, params string[] cars)
    {
        var root = JsonNode.Parse($$"""
            {
              "company_name": "company",
              "external_communication": {
                "protocol": "MQTT", "server_address": "localhost", "server_port": {{port}}, "timeout_ms": 40000,
                "ca_certs_file": "", "cert_file": "", "key_file": ""
              },
              "timeout": 20,
              "send_invalid_command": false,
              "sleep_duration_after_connection_refused": 0.1,
              "logging": {
                "console": { "level": "DEBUG", "use": true },
                "file": { "level": "DEBUG", "use": false, "path": "" }
              },
              "common_modules": { "1000": { "lib_path": "{{Sample}}", "config": {} } },
              "cars": {}
            }
            """)!;
        foreach (var car in cars.Length == 0 ? ["car"] : cars) root["cars"]![car] = new JsonObject();
        change?.Invoke(root);
        File.WriteAllText(ConfigPath, root.ToJsonString());
    }

    private protected ProcessUnderTest StartFleet(params string[] options) => Own(ProcessUnderTest.Start(Program, ["fleet", ConfigPath, .. options]));

    /// <summary>Runs the program to its end; it must tell a user's mistake in lines of its own and without a stack trace.</summary>
    private protected async Task<(int Code, IReadOnlyList<string> Lines)> RunAsync(params string[] arguments)
    {
        await using var process = ProcessUnderTest.Start(Program, arguments);
        var code = await process.ExitAsync(TestTimeout);
        Assert.DoesNotContain(process.Lines, line => line.Contains("   at ", StringComparison.Ordinal));
        return (code, process.Lines);
    }

    private static string BuildSample()
    {
        using var build = Process.Start(new ProcessStartInfo(RepositoryRoot.Combine("eng", "build-native"), ["--sample"]) { RedirectStandardError = true })!;
        var errors = build.StandardError.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, $"eng/build-native failed: {errors}");
        return RepositoryRoot.Combine("artifacts", "native", "libsample.so");
    }
}
