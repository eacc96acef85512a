using System.Data.Common;
using Mooring.Testing;

namespace Mooring.Storage.Tests;

public sealed class FullDiskTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-full-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task WriteThatFindsNoRoom_TellsThat_AndTheNextOneWorks()
    {
        await using var database = await Database.OpenAsync(new StorageOptions { Database = Path.Combine(_folder, "a.db") }, TestTimeout);
        // A database of at most ten pages meets the same error as a full disk, and SQLite rolls back by itself in the same way.
        await database.WriteAsync((session, token) => session.ExecuteAsync("CREATE TABLE t (x TEXT NOT NULL)", null, token), TestTimeout);
        var failure = await Assert.ThrowsAnyAsync<DbException>(() => database.WriteAsync(async (session, token) =>
        {
            await session.ExecuteAsync("PRAGMA max_page_count = 10", null, token);
            return await session.ExecuteManyAsync("INSERT INTO t (x) VALUES (@x)", ["x"], Enumerable.Repeat(new object?[] { new string('x', 4000) }, 100), token);
        }, TestTimeout));
        Assert.Contains("full", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, await database.WriteAsync((session, token) => session.ExecuteAsync("INSERT INTO t (x) VALUES ('y')", null, token), TestTimeout));
        Assert.Equal(1, await database.ReadAsync((session, token) => session.NumberAsync("SELECT COUNT(*) FROM t", null, token), TestTimeout));
    }
}
