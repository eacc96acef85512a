using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Mooring.Cli.Doctor;
using Mooring.Cli.Tests.Configuration;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary><c>mooring doctor</c> as a process: healthy, ill and beside a running Mooring.</summary>
public sealed class DoctorProcessTests : MooringTest
{
    private static readonly string[] FreePorts =
        ["--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0"];

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-doctor-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task<(int Code, IReadOnlyList<string> Lines)> DoctorAsync(params string[] more)
    {
        var doctor = Own(ProcessUnderTest.Start(UpRun.Program, ["doctor", "--data", _folder, .. FreePorts, .. more], folder: _folder));
        return (await doctor.ExitAsync(TestTimeout), doctor.Lines);
    }

    private static void HasLine(IReadOnlyList<string> lines, string level, string check, string text) =>
        Assert.True(lines.Any(line => line.StartsWith(level, StringComparison.Ordinal) && line.Contains($"  {check} ", StringComparison.Ordinal) && line.Contains(text, StringComparison.Ordinal)),
            $"no line {level} {check} {text} in:\n{string.Join('\n', lines)}");

    [Fact]
    public async Task HealthyMachine_EndsWith0()
    {
        var (code, lines) = await DoctorAsync();
        Assert.True(code == 0, string.Join('\n', lines));
        HasLine(lines, "ok", "configuration", "the defaults are good");
        HasLine(lines, "ok", "data folder", "can be written");
        HasLine(lines, "ok", "data folder", "GiB are free");
        HasLine(lines, "ok", "broker", "Mooring does not run");
        HasLine(lines, "ok", "clock", "UTC");
        Assert.Contains(lines, line => line.Contains("  engine ", StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public async Task WhatIsWrong_HasALineEach_WithAdvice_AndEndsWith1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "own"), TimeProvider.System);
        var files = authority.Server();
        File.SetUnixFileMode(files.Key!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var (code, lines) = await DoctorAsync("--ws-port", port, "--http-cert", files.Certificate!, "--http-key", files.Key!);
        Assert.Equal(1, code);
        HasLine(lines, "fail", "ports", "is in use by another process: choose another port with --ws-port");
        HasLine(lines, "ok", "certificates", "operators: good until");
        HasLine(lines, "warn", "certificates", "operators: its chain is not whole");
        HasLine(lines, "warn", "certificates", "can be read by other users: chmod 600");
        HasLine(lines, "warn", "data folder", "chmod 700");
    }

    [Fact]
    public async Task WrongConfigurationAndFolder_AreTold()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "mooring.json"), """{ "mqtt": { "prot": 1 } }""", TestTimeout);
        var (code, lines) = await DoctorAsync();
        Assert.Equal(1, code);
        HasLine(lines, "fail", "configuration", "mooring.json: mqtt.prot: unknown key; did you mean 'port'?");
        File.Delete(Path.Combine(_folder, "mooring.json"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "format"), "9", TestTimeout);
        (code, lines) = await DoctorAsync();
        Assert.Equal(1, code);
        HasLine(lines, "fail", "data folder", "has format 9, written by a newer version");
    }

    [Fact]
    public async Task BesideARunningMooring_AsksIt_AndSpeaksJson()
    {
        await using var up = await UpRun.StartAsync(_folder, TestTimeout);
        var doctor = Own(ProcessUnderTest.Start(
            UpRun.Program,
            ["doctor", "--json", "--data", _folder, "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0", "--mqtt-port", up.PortOf("MQTT").ToString(CultureInfo.InvariantCulture), "--http-port", new Uri(up.Console).Port.ToString(CultureInfo.InvariantCulture)],
            folder: _folder));
        var code = await doctor.ExitAsync(TestTimeout);
        using var report = JsonDocument.Parse(string.Join('\n', doctor.Lines));
        Assert.True(code == 0, string.Join('\n', doctor.Lines));
        Assert.Equal(0, report.RootElement.GetProperty("failed").GetInt32());
        var checks = report.RootElement.GetProperty("checks").EnumerateArray().Select(c => $"{c.GetProperty("check").GetString()}: {c.GetProperty("what").GetString()}").ToList();
        Assert.Contains(checks, check => check.StartsWith("broker: 127.0.0.1:", StringComparison.Ordinal) && check.EndsWith(" answers", StringComparison.Ordinal));
        Assert.Contains(checks, check => check.EndsWith("every part is ready", StringComparison.Ordinal));
        Assert.Contains(checks, check => check.EndsWith("(operators) is served", StringComparison.Ordinal));
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Fact]
    public void Certificates_ThatHaveExpiredOrSoonWill_AreTold()
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "tls"), TimeProvider.System);
        (string, TlsFiles)[] all = [("x", authority.Server())];
        var now = TimeProvider.System.GetUtcNow();
        Assert.Contains(CertificateCheck.Run(all, now), finding => finding.Level == FindingLevel.Ok);
        Assert.Contains(CertificateCheck.Run(all, now + DevelopmentAuthority.LeafLifetime - TimeSpan.FromDays(7)), finding => finding.Level == FindingLevel.Warn && finding.Advice == "renew it");
        Assert.Contains(CertificateCheck.Run(all, now + DevelopmentAuthority.LeafLifetime), finding => finding.Level == FindingLevel.Fail);
        Assert.Contains(CertificateCheck.Run([("x", new TlsFiles { Certificate = "/nowhere.pem" })], now), finding => finding.Level == FindingLevel.Fail);
    }

    [Fact]
    public void FolderFromTheFuture_IsAClockThatWentBack()
    {
        File.WriteAllText(Path.Combine(_folder, "x"), "");
        Assert.Equal(FindingLevel.Ok, ClockCheck.Run(_folder, TimeProvider.System.GetUtcNow()).First().Level);
        Assert.Equal(FindingLevel.Fail, ClockCheck.Run(_folder, TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(1)).First().Level);
    }
}
