using System.Data.Common;
using Mooring.Testing;

namespace Mooring.Storage.Tests;

public sealed class SqliteTests : DatabaseTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-sqlite-").FullName;

    public override async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await base.DisposeAsync();
    }

    protected override Task<StorageOptions> NewAsync() =>
        Task.FromResult(new StorageOptions { Database = Path.Combine(_folder, $"{Guid.NewGuid():N}.db") });

    [Fact]
    public async Task OpenDatabase_UsesTheWriteAheadLogForeignKeysAndFullFlush()
    {
        await using var database = await MigratedAsync();
        Assert.Equal(1, await NumberAsync(database, "PRAGMA foreign_keys"));
        Assert.Equal(2, await NumberAsync(database, "PRAGMA synchronous"));
        Assert.Equal(5000, await NumberAsync(database, "PRAGMA busy_timeout"));
        var mode = await database.ReadAsync((s, token) => s.QueryAsync("PRAGMA journal_mode", r => r.GetString(0), null, token), TestTimeout);
        Assert.Equal(["wal"], mode);
    }

    [Fact]
    public async Task ReaderThatWrites_IsRefused()
    {
        await using var database = await MigratedAsync();
        await Assert.ThrowsAnyAsync<DbException>(() => database.ReadAsync((s, token) => InsertAsync(s, "a", token), TestTimeout));
    }

    [Fact]
    public async Task ClosedDatabase_LeavesOneFileAndNoLock()
    {
        var database = await MigratedAsync();
        var name = database.Name;
        await database.DisposeAsync();
        Assert.Equal([name], Directory.GetFiles(_folder));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => NumberAsync(database, "SELECT 1"));
    }

    [Fact]
    public async Task FileThatIsNoDatabase_IsOneLine()
    {
        var path = Path.Combine(_folder, "text.db");
        await File.WriteAllTextAsync(path, new string('x', 5000), TestTimeout);
        await AssertRefusedAsync(path, $"cannot open the database '{path}': the file is not a SQLite database");
    }

    [Fact]
    public async Task MissingFolder_IsOneLine()
    {
        var path = Path.Combine(_folder, "no", "such.db");
        await AssertRefusedAsync(path, $"cannot open the database '{path}': the file cannot be opened; its folder must exist and be writable");
    }

    [Fact]
    public async Task WriterKilledAtAnyMoment_LeavesEveryAnnouncedCommit()
    {
        for (var round = 0; round < 4; round++)
        {
            var path = Path.Combine(_folder, $"killed-{round}.db");
            await using var victim = ProcessUnderTest.Start(
                Environment.ProcessPath!, [], new Dictionary<string, string?> { [KilledWriter.Variable] = path });
            await victim.LineAsync($"committed {10 + (round * 13)}", TestTimeout);
            victim.Kill();
            await victim.ExitAsync(TestTimeout);
            var announced = victim.Lines.Count(l => l.StartsWith("committed ", StringComparison.Ordinal));
            await using var database = await Database.OpenAsync(new StorageOptions { Database = path }, TestTimeout);
            Assert.True(await NumberAsync(database, "SELECT COUNT(*) FROM t") >= announced);
            Assert.Equal(0, await NumberAsync(database, "SELECT COUNT(*) FROM t WHERE a <> b"));
        }
    }

    private async Task AssertRefusedAsync(string path, string message)
    {
        var e = await Assert.ThrowsAsync<StorageException>(() => Database.OpenAsync(new StorageOptions { Database = path }, TestTimeout));
        Assert.Equal(message, e.Message);
    }
}
