using System.Data.Common;
using Mooring.Testing;

namespace Mooring.Storage.Tests;

/// <summary>The same behaviour on both databases; the two subclasses name them.</summary>
public abstract class DatabaseTests : MooringTest
{
    private static readonly Migration[] Steps =
    [
        new(1, "devices", "CREATE TABLE devices (id TEXT PRIMARY KEY, kind BIGINT NOT NULL, image BYTEA, ratio DOUBLE PRECISION, alive BOOLEAN)"),
        new(2, "owner", "ALTER TABLE devices ADD COLUMN owner TEXT; CREATE INDEX devices_owner ON devices (owner)"),
    ];

    protected abstract Task<StorageOptions> NewAsync();

    [Fact]
    public async Task Migrations_AreAppliedOnceAndOnlyWhatIsNew()
    {
        var options = await NewAsync();
        await using (var first = await Database.OpenAsync(options, TestTimeout))
            Assert.Equal(1, await first.MigrateAsync("fleet", Steps[..1], TestTimeout));
        await using var second = await Database.OpenAsync(options, TestTimeout);
        Assert.Equal(1, await second.MigrateAsync("fleet", Steps, TestTimeout));
        Assert.Equal(0, await second.MigrateAsync("fleet", Steps, TestTimeout));
        Assert.Equal(1, await second.MigrateAsync("other", [new(1, "t", "CREATE TABLE other (a TEXT)")], TestTimeout));
    }

    [Fact]
    public async Task DatabaseNewerThanTheProgram_IsRefusedInOneLine()
    {
        await using var database = await MigratedAsync();
        var e = await Assert.ThrowsAsync<StorageException>(() => database.MigrateAsync("fleet", Steps[..1], TestTimeout));
        Assert.EndsWith("has version 2 of the fleet tables, but this program knows only 1: use a newer program", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public async Task FailingMigration_LeavesNothingBehind()
    {
        await using var database = await MigratedAsync();
        Migration[] steps = [.. Steps, new(3, "bad", "CREATE TABLE half (a TEXT); CREATE TABLE devices (a TEXT)")];
        var e = await Assert.ThrowsAsync<StorageException>(() => database.MigrateAsync("fleet", steps, TestTimeout));
        Assert.Contains("migration 3 (bad) of the fleet tables failed", e.Message, StringComparison.Ordinal);
        steps[2] = new(3, "good", "CREATE TABLE half (a TEXT)");
        Assert.Equal(1, await database.MigrateAsync("fleet", steps, TestTimeout));
    }

    [Fact]
    public async Task TwoProcessesMigratingAtOnce_ApplyEachStepOnce()
    {
        var options = await NewAsync();
        await using var a = await Database.OpenAsync(options, TestTimeout);
        await using var b = await Database.OpenAsync(options, TestTimeout);
        var applied = await Task.WhenAll(
            Task.Run(() => a.MigrateAsync("fleet", Steps, TestTimeout)), Task.Run(() => b.MigrateAsync("fleet", Steps, TestTimeout)));
        Assert.Equal(2, applied.Sum());
    }

    [Fact]
    public async Task EveryType_ComesBackAsItWasWritten()
    {
        await using var database = await MigratedAsync();
        var image = new byte[] { 0, 255, 1, 0 };
        await database.WriteAsync(async (s, token) =>
        {
            await s.ExecuteAsync(
                "INSERT INTO devices (id, kind, image, ratio, alive, owner) VALUES (@id, @kind, @image, @ratio, @alive, @owner)",
                [("id", "ö'\"; --"), ("kind", long.MaxValue), ("image", image), ("ratio", 0.1), ("alive", true), ("owner", null)], token);
            return 0;
        }, TestTimeout);
        var row = Assert.Single(await database.ReadAsync((s, token) => s.QueryAsync(
            "SELECT id, kind, image, ratio, alive, owner FROM devices WHERE id = @id",
            r => (r.GetString(0), r.GetInt64(1), Image: r.GetFieldValue<byte[]>(2), r.GetDouble(3), r.GetBoolean(4), r.IsDBNull(5)),
            [("id", "ö'\"; --")], token), TestTimeout));
        Assert.Equal(image, row.Image);
        Assert.Equal(("ö'\"; --", long.MaxValue, 0.1, true, true), (row.Item1, row.Item2, row.Item4, row.Item5, row.Item6));
    }

    [Fact]
    public async Task UpsertAndManyRows_WorkOnBoth()
    {
        await using var database = await MigratedAsync();
        const string Sql = "INSERT INTO devices (id, kind) VALUES (@id, @kind) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind";
        for (var round = 0; round < 2; round++)
            Assert.Equal(500, await database.WriteAsync((s, token) => s.ExecuteManyAsync(
                Sql, ["id", "kind"], Enumerable.Range(0, 500).Select(i => new object?[] { $"d{i}", (long)i + round }), token), TestTimeout));
        Assert.Equal(500, await NumberAsync(database, "SELECT COUNT(*) FROM devices"));
        Assert.Equal(500, await NumberAsync(database, "SELECT MAX(kind) FROM devices"));
        Assert.Null(await NumberAsync(database, "SELECT MAX(kind) FROM devices WHERE id = 'none'"));
    }

    [Fact]
    public async Task ThrowingWrite_IsRolledBackAndTheDatabaseStaysUsable()
    {
        await using var database = await MigratedAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.WriteAsync<int>(async (s, token) =>
        {
            await InsertAsync(s, "a", token);
            throw new InvalidOperationException();
        }, TestTimeout));
        await Assert.ThrowsAnyAsync<DbException>(() => database.WriteAsync(async (s, token) =>
        {
            await InsertAsync(s, "b", token);
            return await InsertAsync(s, "b", token);
        }, TestTimeout));
        Assert.Equal(0, await NumberAsync(database, "SELECT COUNT(*) FROM devices"));
        await database.WriteAsync((s, token) => InsertAsync(s, "c", token), TestTimeout);
        Assert.Equal(1, await NumberAsync(database, "SELECT COUNT(*) FROM devices"));
    }

    [Fact]
    public async Task ReaderBesideAWriter_SeesOnlyWholeTransactions()
    {
        await using var database = await MigratedAsync();
        var inside = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        var write = database.WriteAsync(async (s, token) =>
        {
            await InsertAsync(s, "a", token);
            inside.SetResult();
            await finish.Task.WaitAsync(token);
            return await InsertAsync(s, "b", token);
        }, TestTimeout);
        await inside.Task.WaitAsync(TestTimeout);
        Assert.Equal(0, await NumberAsync(database, "SELECT COUNT(*) FROM devices"));
        finish.SetResult();
        await write;
        Assert.Equal(2, await NumberAsync(database, "SELECT COUNT(*) FROM devices"));
    }

    [Fact]
    public async Task ManyWritersAndReadersAtOnce_LoseNothing()
    {
        await using var database = await MigratedAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(async () =>
        {
            await database.WriteAsync((s, token) => InsertAsync(s, $"d{i}", token), TestTimeout);
            Assert.True(await NumberAsync(database, "SELECT COUNT(*) FROM devices") > 0);
        }, TestTimeout)));
        Assert.Equal(60, await NumberAsync(database, "SELECT COUNT(*) FROM devices"));
    }

    [Fact]
    public async Task WhatWasCommitted_IsThereAfterReopening()
    {
        var options = await NewAsync();
        await using (var database = await Database.OpenAsync(options, TestTimeout))
        {
            await database.MigrateAsync("fleet", Steps, TestTimeout);
            await database.WriteAsync((s, token) => InsertAsync(s, "a", token), TestTimeout);
        }
        await using var again = await Database.OpenAsync(options, TestTimeout);
        Assert.Equal(1, await NumberAsync(again, "SELECT COUNT(*) FROM devices"));
    }

    protected async Task<Database> MigratedAsync()
    {
        var database = await Database.OpenAsync(await NewAsync(), TestTimeout);
        await database.MigrateAsync("fleet", Steps, TestTimeout);
        return database;
    }

    protected static Task<int> InsertAsync(StorageSession session, string id, CancellationToken cancellationToken) =>
        session.ExecuteAsync("INSERT INTO devices (id, kind) VALUES (@id, 1)", [("id", id)], cancellationToken);

    protected Task<long?> NumberAsync(Database database, string sql) =>
        database.ReadAsync((s, token) => s.NumberAsync(sql, null, token), TestTimeout);
}
