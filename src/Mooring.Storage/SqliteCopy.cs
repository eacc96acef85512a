using Microsoft.Data.Sqlite;

namespace Mooring.Storage;

/// <summary>Copies a SQLite database while others write into it: the copy is one moment of it.</summary>
public static class SqliteCopy
{
    private static readonly byte[] Magic = "SQLite format 3\0"u8.ToArray();

    /// <summary>Whether a file is a SQLite database, whatever its name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>True when it begins as one.</returns>
    public static async Task<bool> IsDatabaseAsync(string path, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var head = new byte[Magic.Length];
            return await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken) == head.Length && head.AsSpan().SequenceEqual(Magic);
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Writes the copy; it is packed, and has no journal beside it.</summary>
    /// <param name="source">The database.</param>
    /// <param name="target">A file that does not exist.</param>
    /// <param name="cancellationToken">Gives up between the steps.</param>
    /// <returns>A task that ends when the copy is written.</returns>
    /// <exception cref="StorageException">It cannot be copied.</exception>
    public static async Task WriteAsync(string source, string target, CancellationToken cancellationToken = default)
    {
        NativeSqlite.Prepare();
        var address = new SqliteConnectionStringBuilder { DataSource = source, Mode = SqliteOpenMode.ReadWrite, Pooling = false };
        try
        {
            await using var connection = new SqliteConnection(address.ToString());
            await connection.OpenAsync(cancellationToken);
            await using var command = connection.CreateCommand();
            // One read transaction: writers go on in the log beside the file. The backup interface would begin anew at each of their commits.
            command.CommandText = "PRAGMA busy_timeout = 30000";
            await command.ExecuteNonQueryAsync(cancellationToken);
            command.CommandText = "VACUUM INTO @target";
            command.Parameters.AddWithValue("@target", target);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (SqliteException e)
        {
            throw new StorageException($"the database '{source}' cannot be copied: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
