using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.Cli.Hosting;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Observability;

/// <summary>The log in a file.</summary>
public sealed class FileLogTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-log-").FullName;

    private string LogPath => Path.Combine(_folder, "deep", "mooring.log");

    public override async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await base.DisposeAsync();
    }

    [Fact]
    public async Task AnEntry_IsOneLineWhateverIsInIt()
    {
        await using (var log = new FileLog(LogPath, isJson: false, 0, new TestClock()))
        {
            Write(log, "first\nforged");
            log.CreateLogger("Some.Category").Log(LogLevel.Error, new EventId(5001), "it failed", new IOException("disk\nfull"), (text, _) => text);
        }
        var lines = await File.ReadAllLinesAsync(LogPath, TestTimeout);
        Assert.Equal(2, lines.Length);
        Assert.EndsWith(" info Some.Category[7] first forged", lines[0], StringComparison.Ordinal);
        Assert.Contains(" fail Some.Category[5001] it failed System.IO.IOException: disk full", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonLines_AreObjects()
    {
        await using (var log = new FileLog(LogPath, isJson: true, 0, new TestClock())) Write(log, "a \"word\"\n");
        using var entry = JsonDocument.Parse(Assert.Single(await File.ReadAllLinesAsync(LogPath, TestTimeout)));
        Assert.Equal(("a \"word\"\n", "Information", 7), (
            entry.RootElement.GetProperty("Message").GetString(), entry.RootElement.GetProperty("LogLevel").GetString(), entry.RootElement.GetProperty("EventId").GetInt32()));
    }

    [Fact]
    public async Task AFullFile_IsMovedAsideAndTheOldestGoes()
    {
        await using (var log = new FileLog(LogPath, isJson: false, 200, new TestClock()))
            for (var i = 0; i < 100; i++) Write(log, $"entry {i:D3}");
        var files = Directory.EnumerateFiles(Path.GetDirectoryName(LogPath)!).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal([LogPath, .. Enumerable.Range(1, RotatingFile.KeptMax).Select(i => $"{LogPath}.{i}")], files);
        Assert.All(files, file => Assert.InRange(new FileInfo(file).Length, 1, 200));
        // Newest last, and nothing is missing between.
        var kept = files.Reverse().SelectMany(file => file == LogPath ? [] : File.ReadLines(file)).Concat(File.ReadLines(LogPath)).Select(line => line[^3..]).ToArray();
        Assert.Equal(Enumerable.Range(100 - kept.Length, kept.Length).Select(i => $"{i:D3}"), kept);
    }

    [Fact]
    public async Task AFileThatWasMovedAway_IsOpenedAnew()
    {
        await using (var log = new FileLog(LogPath, isJson: false, 0, new TestClock()))
        {
            Write(log, "before");
            await Eventually.TrueAsync(() => new FileInfo(LogPath).Length > 0, "the first line in the file", TestTimeout);
            File.Move(LogPath, LogPath + ".old");
            log.Reopen();
            await Eventually.TrueAsync(() => File.Exists(LogPath), "the new file", TestTimeout);
            Write(log, "after");
        }
        Assert.EndsWith("before", Assert.Single(await File.ReadAllLinesAsync(LogPath + ".old", TestTimeout)), StringComparison.Ordinal);
        Assert.EndsWith("after", Assert.Single(await File.ReadAllLinesAsync(LogPath, TestTimeout)), StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatCannotBeWritten_IsToldInOneLine() =>
        Assert.StartsWith("log_file: '", Assert.Throws<UserErrorException>(() => new FileLog(_folder, isJson: false, 0, TimeProvider.System)).Message, StringComparison.Ordinal);

    private static void Write(FileLog log, string text) =>
        log.CreateLogger("Some.Category").Log(LogLevel.Information, new EventId(7), text, null, (message, _) => message);
}
