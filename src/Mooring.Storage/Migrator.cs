using System.Data.Common;

namespace Mooring.Storage;

/// <summary>Applies the steps of one slice and keeps the book of what was applied.</summary>
internal sealed class Migrator(Database database, IDialect dialect)
{
    private const string Book =
        """
        CREATE TABLE IF NOT EXISTS mooring_migrations (
            slice TEXT NOT NULL,
            version BIGINT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (slice, version)
        )
        """;

    public async Task<int> RunAsync(string slice, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        for (var i = 0; i < migrations.Count; i++)
            if (migrations[i].Version != i + 1)
                throw new ArgumentException($"migration {migrations[i].Version} of {slice} stands at place {i + 1}", nameof(migrations));
        var applied = 0;
        while (await database.WriteAsync((s, token) => StepAsync(s, slice, migrations, token), cancellationToken)) applied++;
        return applied;
    }

    /// <summary>Applies the next step; false when there is none. Asked anew for each step, because another process may migrate too.</summary>
    private async Task<bool> StepAsync(
        StorageSession session, string slice, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        await dialect.LockMigrationsAsync(session, cancellationToken);
        await session.ExecuteAsync(Book, null, cancellationToken);
        var version = await session.NumberAsync(
            "SELECT MAX(version) FROM mooring_migrations WHERE slice = @slice", [("slice", slice)], cancellationToken) ?? 0;
        if (version > migrations.Count)
            throw new StorageException(
                $"the database '{database.Name}' has version {version} of the {slice} tables, but this program knows only {migrations.Count}: use a newer program");
        if (version == migrations.Count) return false;
        var next = migrations[(int)version];
        try
        {
            await session.ExecuteAsync(next.Sql, null, cancellationToken);
        }
        catch (DbException e)
        {
            throw new StorageException(
                $"migration {next.Version} ({next.Name}) of the {slice} tables failed in '{database.Name}': {e.Message.ReplaceLineEndings(" ")}", e);
        }
        await session.ExecuteAsync(
            "INSERT INTO mooring_migrations (slice, version, name) VALUES (@slice, @version, @name)",
            [("slice", slice), ("version", (long)next.Version), ("name", next.Name)], cancellationToken);
        return true;
    }
}
