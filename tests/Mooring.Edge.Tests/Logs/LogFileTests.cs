using System.Text.Json;
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
    public async Task Json_EveryEntryIsOneObjectInOneLine()
    {
        string[] messages = ["plain", "two\nlines\r\nand \u2028 more", "\"quotes\" and \\ and \0", "\ud800 half a character", ""];
        await LogAsync(new LogFileOptions { Folder = _folder, Name = "orchestrator", IsJson = true }, log =>
        {
            foreach (var message in messages) log.LogInformation(new EventId(7001), "{Message}", message);
            log.LogDebug("small");
            log.LogError(new InvalidOperationException("why\nagain"), "bad");
        });
        var lines = await LinesAsync("logs", "orchestrator-logs");
        Assert.Equal(messages.Length + 1, lines.Length);
        var objects = lines.Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(messages.Select(m => m.Replace('\ud800', '\ufffd')), objects.SkipLast(1).Select(o => o.GetProperty("Message").GetString()));
        var at = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeZoneInfo.Local.GetUtcOffset(new DateTime(2026, 11, 21))).UtcDateTime;
        Assert.Equal($$"""{"Timestamp":"{{at:yyyy-MM-ddTHH:mm:ss}}.000Z","EventId":7001,"LogLevel":"Information","Category":"Mooring.Edge.Hub","Message":"plain"}""", lines[0]);
        Assert.Equal(("Error", "bad"), (objects[^1].GetProperty("LogLevel").GetString(), objects[^1].GetProperty("Message").GetString()));
        Assert.StartsWith("System.InvalidOperationException: why\nagain", objects[^1].GetProperty("Exception").GetString(), StringComparison.Ordinal);
        Assert.Contains(await LinesAsync("debug", "orchestrator-debug"), line => JsonElement.Parse(line).GetProperty("Message").GetString() == "small");
    }

    [Fact]
    public async Task Json_HasNothingThatTheMessageHasNot()
    {
        // A value that a message masks is in none of the members: only the message is written, as the text has it.
        await LogAsync(new LogFileOptions { Folder = _folder, Name = "a", IsJson = true }, log =>
            log.Log(LogLevel.Warning, new EventId(1), "token=secret", null, (_, _) => "token=***"));
        var line = Assert.Single(await LinesAsync("logs", "a-logs"));
        Assert.Contains("token=***", JsonElement.Parse(line).GetProperty("Message").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
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

    private Task<string[]> LinesAsync(string folder, string name) =>
        File.ReadAllLinesAsync(Path.Combine(_folder, folder, name + "-2026-11-21.log"), TestContext.Current.CancellationToken);

    private async Task LogAsync(LogFileOptions options, Action<ILogger> work)
    {
        await using var provider = new LogFileProvider(options, _clock);
        work(provider.CreateLogger("Mooring.Edge.Hub"));
    }

    private string[] Names() => [.. Directory.GetFiles(Path.Combine(_folder, "logs")).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];
}
