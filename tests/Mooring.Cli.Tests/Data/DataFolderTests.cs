using System.Globalization;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Data;

/// <summary>A data folder that cannot be used, with the real program: one line, exit code 1, nothing changed.</summary>
public sealed class DataFolderTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-data-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task<IReadOnlyList<string>> RefusedAsync(UpRun run)
    {
        Own(run);
        Assert.Equal(1, await run.Process.ExitAsync(TestTimeout));
        return run.Process.Lines;
    }

    [Fact]
    public async Task FolderOfAnotherProcess_IsRefusedWithItsNumber_AndFreeAfterAKill()
    {
        await using (var first = await UpRun.StartAsync(_folder, TestTimeout))
        {
            var expected = $"mooring: the data folder '{_folder}' is in use by another process ({first.Process.Id.ToString(CultureInfo.InvariantCulture)}); stop it, or name another folder with --data";
            Assert.Equal([expected], await RefusedAsync(UpRun.Begin(_folder, [])));
            var hub = Own(ProcessUnderTest.Start(UpRun.Program, ["hub", "--data", _folder, "--port", "0", "--http-port", "0"]));
            Assert.Equal(1, await hub.ExitAsync(TestTimeout));
            Assert.Equal([expected], hub.Lines);
            first.Process.Kill();
            await first.Process.ExitAsync(TestTimeout);
        }
        await using var second = await UpRun.StartAsync(_folder, TestTimeout);
        Assert.Equal(0, await second.StopAsync(TestTimeout));
    }

    [Fact]
    public async Task RolesAlone_ShareTheFolder_ButEachOnce()
    {
        ProcessUnderTest Hub() => Own(ProcessUnderTest.Start(UpRun.Program, ["hub", "--data", _folder, "--port", "0", "--http-port", "0"]));
        var hub = Hub();
        await hub.LineAsync("Ctrl-C stops everything", TestTimeout);
        var tunnel = Own(ProcessUnderTest.Start(UpRun.Program, ["tunnel", "serve", "--data", _folder, "--port", "0", "--http-port", "0"]));
        await tunnel.LineAsync("Ctrl-C stops everything", TestTimeout);
        var again = Hub();
        Assert.Equal(1, await again.ExitAsync(TestTimeout));
        Assert.Contains("is in use by another process", Assert.Single(again.Lines), StringComparison.Ordinal);
        Assert.Contains("is in use by another process", Assert.Single(await RefusedAsync(UpRun.Begin(_folder, []))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7\n", "has format 7, written by a newer version; this one reads formats up to 1")]
    [InlineData("nonsense", "has a file 'format' without a number: it is none of Mooring's")]
    public async Task FolderOfANewerFormat_IsRefused_ByEveryVerb(string format, string expected)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "format"), format, TestTimeout);
        Assert.EndsWith(expected, Assert.Single(await RefusedAsync(UpRun.Begin(_folder, []))), StringComparison.Ordinal);
        foreach (var arguments in new[] { new[] { "user", "list" }, ["backup", Path.Combine(_folder, "b.tar.gz")], ["hub"], ["tunnel", "serve"], ["broker"] })
        {
            var verb = Own(ProcessUnderTest.Start(UpRun.Program, [.. arguments, "--data", _folder]));
            Assert.Equal(1, await verb.ExitAsync(TestTimeout));
            Assert.EndsWith(expected, Assert.Single(verb.Lines), StringComparison.Ordinal);
        }
        Assert.Equal(["format"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("ro,size=1m")]
    [InlineData("size=4k")]
    [InlineData("size=16k")]
    [InlineData("size=64k")]
    [InlineData("size=256k")]
    public async Task ReadOnlyOrFullFolder_IsALine(string mount)
    {
        // A mount of this process alone; root may write everywhere else.
        var up = Own(ProcessUnderTest.Start(
            "unshare",
            [
                "-m", "/bin/sh", "-c", "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && shift && folder=$1 && shift && exec \"$@\"", "mount", mount, _folder,
                UpRun.Program, "up", "--data", _folder, "--http-port", "0", "--mqtt-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0",
                "--tunnel-port", "0", "--tunnel-http-port", "0",
            ]));
        Assert.Equal(1, await up.ExitAsync(TestTimeout));
        var lines = up.Lines.Where(line => line.StartsWith("mooring: ", StringComparison.Ordinal)).ToList();
        Assert.True(lines.Count == 1 && up.Lines.All(line => !line.StartsWith("   at ", StringComparison.Ordinal)), string.Join('\n', up.Lines));
    }

    [Fact]
    public async Task FolderFromBeforeTheFormatHadANumber_IsTaken()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "fleet.json"), """{ "cars": 1 }""", TestTimeout);
        var up = UpRun.Begin(_folder, []);
        Assert.Contains("fleet.json: ", (await RefusedAsync(up))[0], StringComparison.Ordinal);
        Assert.Equal("1\n", await File.ReadAllTextAsync(Path.Combine(_folder, "format"), TestTimeout));
    }
}
