using System.Text.Json.Nodes;
using Mooring.Kernel.Tls;

namespace Mooring.Cli.Tests.Fleet;

/// <summary>What a user gets for a wrong command line, configuration, file or module: lines that say what to mend, and an exit code.</summary>
public sealed class FleetCommandLineTests : FleetProcessTest
{
    private Task<(int Code, IReadOnlyList<string> Lines)> FleetAsync(params string[] options) => RunAsync(["fleet", ConfigPath, .. options]);

    [Fact]
    public async Task C032_C046_good_configuration_passes_the_check_and_nothing_runs()
    {
        Configure(1883);
        var (code, lines) = await FleetAsync("--check");
        Assert.Equal((0, $"{ConfigPath}: good: company 'company', 1 car(s), broker localhost:1883"), (code, Assert.Single(lines)));
    }

    [Fact]
    public async Task C046_missing_configuration_is_one_line_and_1()
    {
        var (code, lines) = await FleetAsync();
        Assert.Equal((1, $"mooring: {ConfigPath}: the file does not exist"), (code, Assert.Single(lines)));
    }

    [Fact]
    public async Task C033_all_errors_are_told_at_once_each_in_a_line()
    {
        Configure(99999, root =>
        {
            root["company_name"] = "Not Allowed";
            root["timeout"] = -1;
            root["common_modules"]!["1000"]!["lib_path"] = "/nowhere/libmodule.so";
        });
        var (code, lines) = await FleetAsync("--check");
        Assert.Equal(1, code);
        foreach (var key in new[] { "company_name", "external_communication.server_port", "timeout", "common_modules.1000.lib_path" })
            Assert.Contains(lines, line => line.StartsWith($"mooring: {ConfigPath}: {key}: ", StringComparison.Ordinal));
        Assert.Equal(4, lines.Count);
    }

    [Theory]
    [InlineData("", "--ca and --cert and --key")]
    [InlineData("--ca", "--cert and --key")]
    [InlineData("--ca --cert", "--key")]
    [InlineData("--cert --key", "--ca")]
    public async Task C047_tls_names_exactly_the_missing_options(string given, string missing)
    {
        Configure(8883);
        string[] options = ["--tls", .. given.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(option => new[] { option, ConfigPath })];
        var (code, lines) = await FleetAsync(options);
        Assert.Equal((1, $"mooring: --tls needs {missing} too"), (code, Assert.Single(lines)));
    }

    [Fact]
    public async Task C030_each_missing_TLS_file_is_an_error()
    {
        Configure(8883);
        var (code, lines) = await FleetAsync("--tls", "--ca", "/no/ca.pem", "--cert", ConfigPath, "--key", "/no/key.pem");
        Assert.Equal(1, code);
        Assert.Equal(["mooring: --ca: /no/ca.pem: no such file", "mooring: --key: /no/key.pem: no such file"], lines);
    }

    [Fact]
    public async Task C030_file_that_is_no_certificate_is_an_error_of_one_line()
    {
        Configure(8883);
        var (code, lines) = await FleetAsync("--tls", "--ca", ConfigPath, "--cert", ConfigPath, "--key", ConfigPath);
        Assert.Equal(1, code);
        Assert.Contains(ConfigPath, Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task C029_TLS_is_off_by_default_on_by_flag_and_the_files_are_ignored_without_it()
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(Folder, "tls"), TimeProvider.System);
        var files = authority.Client("server");
        Configure(8883);
        string[] three = ["--ca", authority.AuthorityPath, "--cert", files.Certificate!, "--key", files.Key!];
        Assert.DoesNotContain("with TLS", (await FleetAsync(["--check", .. three])).Lines[^1], StringComparison.Ordinal);
        Assert.EndsWith("with TLS", (await FleetAsync(["--check", "--tls", .. three])).Lines[^1], StringComparison.Ordinal);
        Configure(8883, root => root["external_communication"]!["ca_certs_file"] = authority.AuthorityPath);
        Assert.EndsWith("with TLS", (await FleetAsync("--check")).Lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("with TLS", (await FleetAsync("--check", "--no-tls")).Lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fleet")]
    [InlineData("fleet x.json --unknown")]
    [InlineData("fleet x.json more")]
    [InlineData("fleet x.json --tls --no-tls")]
    public async Task Wrong_command_line_is_2(string arguments)
    {
        var (code, lines) = await RunAsync(arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.StartsWith("mooring: ", lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task C044_C045_modules_that_cannot_be_used_stop_the_start_with_1(bool isCheck)
    {
        var text = Path.Combine(Folder, "text.so");
        await File.WriteAllTextAsync(text, "no library", TestTimeout);
        Configure(1883, root => root["common_modules"] = JsonNode.Parse(
            $$"""{ "7": { "lib_path": "{{Sample}}" }, "8": { "lib_path": "{{text}}" }, "9": { "lib_path": "builtin:nothing" } }"""));
        var (code, lines) = isCheck ? await FleetAsync("--check") : await FleetAsync();
        Assert.Equal(1, code);
        var errors = lines.Where(line => line.StartsWith("mooring: ", StringComparison.Ordinal)).ToArray();
        Assert.Contains("module 7: ", errors[0], StringComparison.Ordinal);
        Assert.Contains("says that it is module 1000", errors[0], StringComparison.Ordinal);
        if (!isCheck) return;
        Assert.StartsWith("mooring: module 8: ", errors[1], StringComparison.Ordinal);
        Assert.StartsWith("mooring: module 9: ", errors[2], StringComparison.Ordinal);
    }
}
