using Microsoft.Extensions.Logging;
using Mooring.Edge.Logs;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Logs;

/// <summary>Log files: their lines, how they roll, and what goes.</summary>
public sealed class LogFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-logs-").FullName;
    private readonly TestClock _clock = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeZoneInfo.Local.GetUtcOffset(new DateTime(2026, 11, 21))));

    [Fact]
    public async Task Lines_GoToBothFiles_ByTheirLevel()
    {
        await LogAsync(new LogFileOptions { Folder = _folder, Name = "orchestrator" }, log =>
        {
            log.LogDebug("small");
            log.LogInformation("usual\nin two lines");
            log.LogError(new InvalidOperationException("why"), "bad");
        });
        var usual = await File.ReadAllLinesAsync(Path.Combine(_folder, "logs", "orchestrator-logs-2026-11-21.log"), TestContext.Current.CancellationToken);
        Assert.Equal("2026-11-21 12:00:00.000 | INFO | Hub | usual in two lines", usual[0]);
        Assert.Equal("2026-11-21 12:00:00.000 | ERROR | Hub | bad", usual[1]);
        Assert.Contains("InvalidOperationException: why", usual[2]);
        var debug = await File.ReadAllLinesAsync(Path.Combine(_folder, "debug", "orchestrator-debug-2026-11-21.log"), TestContext.Current.CancellationToken);
        Assert.Equal("2026-11-21 12:00:00.000 | DEBUG | Hub | small", debug[0]);
        Assert.Equal(usual, debug[1..]);
    }

    [Fact]
    public async Task D34_RestartOnTheSameDay_KeepsWhatWasWritten()
    {
        var options = new LogFileOptions { Folder = _folder, Name = "a" };
        for (var start = 0; start < 3; start++) await LogAsync(options, log => log.LogInformation("start"));
        Assert.Equal(3, (await File.ReadAllLinesAsync(Path.Combine(_folder, "logs", "a-logs-2026-11-21.log"), TestContext.Current.CancellationToken)).Length);
    }

    [Fact]
    public async Task D34_FullFiles_AreContinued_AndOldOnesGo()
    {
        var options = new LogFileOptions { Folder = _folder, Name = "a", FileBytesMax = 1_000, FolderBytesMax = 5_000, DaysMax = 3 };
        for (var day = 0; day < 5; day++)
        {
            await LogAsync(options, log => log.LogInformation("one day"));
            _clock.Advance(TimeSpan.FromDays(1));
        }
        Assert.Equal(["a-logs-2026-11-23.log", "a-logs-2026-11-24.log", "a-logs-2026-11-25.log"], Names());
        await LogAsync(options, log =>
        {
            for (var line = 0; line < 200; line++) log.LogInformation("{Text}", new string('x', 100));
        });
        Assert.True(new DirectoryInfo(Path.Combine(_folder, "logs")).EnumerateFiles().Sum(f => f.Length) < 7_000);
        Assert.Contains("a-logs-2026-11-26.20.log", Names());
    }

    [Fact]
    public async Task FolderThatCannotBeWritten_DoesNotStopTheProgram()
    {
        var file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        await LogAsync(new LogFileOptions { Folder = file, Name = "a" }, log => log.LogInformation("nowhere"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task LogAsync(LogFileOptions options, Action<ILogger> work)
    {
        await using var provider = new LogFileProvider(options, _clock);
        work(provider.CreateLogger("Mooring.Edge.Hub"));
    }

    private string[] Names() => [.. Directory.GetFiles(Path.Combine(_folder, "logs")).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];
}
