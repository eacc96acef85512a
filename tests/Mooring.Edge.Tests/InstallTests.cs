using System.Diagnostics;
using Mooring.Edge.Tests.Hub;
using Mooring.Testing;

namespace Mooring.Edge.Tests;

/// <summary>The install script, below a scratch root and with a hub that really enrols; nothing of this machine is changed.</summary>
[Trait("Peer", "real")]
public sealed class InstallTests : MooringTest
{
    private readonly string _root = Directory.CreateTempSubdirectory("mooring-install-").FullName;

    [Fact]
    public async Task Systemd_EnrolsAndInstalls_KeepsTheIdentityTheSecondTime_AndUninstalls()
    {
        var (hub, server, ca) = await StartHubAsync();
        string[] install = ["--root", _root, "--mode", "systemd", "--server", server, "--ca", ca, "--program", ProgramFolder()];
        var first = await RunAsync(install);
        Assert.Contains("enrolled as ", first);
        Assert.Contains("left out below", first);
        var certificate = await File.ReadAllTextAsync(At("etc/mooring/client.crt"), TestTimeout);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("etc/mooring/client.key")));
        Assert.Equal($"MOORING_SERVER={server}", (await File.ReadAllTextAsync(At("etc/mooring/agent.env"), TestTimeout)).Trim());
        Assert.Equal(await File.ReadAllTextAsync(ca, TestTimeout), await File.ReadAllTextAsync(At("etc/mooring/ca.crt"), TestTimeout));
        Assert.True(File.Exists(At("opt/mooring/mooring")));
        var agents = (await hub.GetAsync("/api/orchestrators", TestTimeout)).Body;
        Assert.False(Assert.Single(agents.EnumerateArray()).GetProperty("claimed").GetBoolean());

        Assert.Contains("identity kept: ", await RunAsync(install));
        Assert.Equal(certificate, await File.ReadAllTextAsync(At("etc/mooring/client.crt"), TestTimeout));
        await RunAsync([.. install, "--new-identity"]);
        Assert.NotEqual(certificate, await File.ReadAllTextAsync(At("etc/mooring/client.crt"), TestTimeout));

        await RunAsync("--root", _root, "--uninstall");
        Assert.Empty(Directory.GetFiles(At("etc/systemd/system")));
        Assert.False(Directory.Exists(At("opt/mooring")));
        Assert.True(File.Exists(At("etc/mooring/client.key")));
        await RunAsync("--root", _root, "--uninstall", "--purge");
        Assert.False(Directory.Exists(At("etc/mooring")));
        Assert.False(Directory.Exists(At("var/orchestrator")));
    }

    [Fact]
    public async Task DryRun_ChangesNothing()
    {
        var told = await RunAsync("--root", _root, "--dry-run", "--mode", "systemd", "--server", "https://hub.example.org:3001", "--program", ProgramFolder());
        Assert.Contains("would enrol at https://hub.example.org:3001", told);
        Assert.Contains("would run: cp ", told);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_root), entry => !entry.EndsWith("program", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Containers_AreTheTwoOfTheModel()
    {
        var (_, server, ca) = await StartHubAsync();
        var told = await RunAsync("--root", _root, "--server", server, "--ca", ca);
        Assert.Contains("docker volume create orchestrator-shared", told);
        var monitor = Assert.Single(told.Split('\n'), line => line.Contains("--name autonomy_netmon", StringComparison.Ordinal));
        Assert.Contains("--restart unless-stopped --network host --pid host --privileged -v orchestrator-shared:/var/orchestrator -v /dev:/dev", monitor);
        var agent = Assert.Single(told.Split('\n'), line => line.Contains("--name orchestrator_agent", StringComparison.Ordinal));
        Assert.Contains("-v /var/run/docker.sock:/var/run/docker.sock -v orchestrator-shared:/var/orchestrator", agent);
        Assert.EndsWith($"mooring-agent --server {server} --ca /root/.mtls/ca.crt", agent);
    }

    [Theory]
    [InlineData("--server must be an https address")]
    [InlineData("--server must be an https address", "--server", "http://hub.example.org")]
    [InlineData("--mode podman: use containers or systemd", "--mode", "podman", "--server", "https://h")]
    [InlineData("--mode systemd needs --program", "--mode", "systemd", "--server", "https://h")]
    [InlineData("--purge goes with --uninstall", "--purge", "--server", "https://h")]
    [InlineData("--frobnicate is not known", "--frobnicate")]
    [InlineData("--server needs a value", "--server")]
    [InlineData("the hub at https://127.0.0.1:1 cannot be reached", "--server", "https://127.0.0.1:1")]
    public async Task WhatIsWrong_IsSaidInOneLine(string reason, params string[] arguments)
    {
        var (exitCode, output) = await InstallAsync(["--root", _root, .. arguments]);
        Assert.Equal(1, exitCode);
        Assert.Contains($"install: {reason}", output);
    }

    [Fact]
    public async Task Units_AreGood()
    {
        var folder = Directory.CreateDirectory(At("etc/systemd/system")).FullName;
        foreach (var unit in Directory.GetFiles(RepositoryRoot.Combine("deploy", "edge"), "mooring-*.*"))
            await File.WriteAllTextAsync(Path.Combine(folder, Path.GetFileName(unit)), await File.ReadAllTextAsync(unit, TestTimeout), TestTimeout);
        Directory.CreateDirectory(At("opt"));
        Directory.Move(ProgramFolder(), At("opt/mooring"));
        var (exitCode, output) = await ProcessAsync("systemd-analyze", ["verify", "--man=no", $"--root={_root}", "mooring-netmon.service", "mooring-agent.service", "mooring-agent.path"]);
        // Units of the system, which the scratch root does not have, are none of ours.
        var complaints = output.Split('\n').Where(line => line.Contains("mooring-", StringComparison.Ordinal) && !line.Contains("not found", StringComparison.Ordinal)).ToList();
        Assert.True(complaints.Count == 0, $"{exitCode}: {output}");
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    private string At(string path) => Path.Combine(_root, path);

    private string ProgramFolder()
    {
        var folder = Directory.CreateDirectory(At("program")).FullName;
        File.WriteAllText(Path.Combine(folder, "mooring"), "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(folder, "mooring"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return folder;
    }

    private async Task<(HubUnderTest Hub, string Server, string Ca)> StartHubAsync()
    {
        var hub = Own(await HubUnderTest.StartAsync(Log, At("hub")));
        return (hub, $"https://127.0.0.1:{hub.Agents.Port}", hub.Hub.Authority.AuthorityPath);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var (exitCode, output) = await InstallAsync(arguments);
        Assert.True(exitCode == 0, output);
        return output;
    }

    private Task<(int ExitCode, string Output)> InstallAsync(string[] arguments) => ProcessAsync(RepositoryRoot.Combine("deploy", "edge", "install"), arguments);

    private async Task<(int ExitCode, string Output)> ProcessAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["HOME"] = "/root";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestTimeout);
        var error = process.StandardError.ReadToEndAsync(TestTimeout);
        await process.WaitForExitAsync(TestTimeout);
        return (process.ExitCode, await output + await error);
    }
}
