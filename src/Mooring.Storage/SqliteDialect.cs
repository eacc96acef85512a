using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Mooring.Storage;

/// <summary>SQLite in a file: write-ahead log, so that readers and the one writer do not wait for each other.</summary>
internal sealed class SqliteDialect : IDialect
{
    private readonly StorageOptions _options;
    private readonly string _connectionString;

    public SqliteDialect(StorageOptions options)
    {
        _options = options;
        NativeSqlite.Prepare();
        Name = Path.GetFullPath(options.Database);
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = Name,
            Mode = SqliteOpenMode.ReadWriteCreate,
            ForeignKeys = true,
            // The pool of this assembly knows how many connections there are and closes them; the driver's would keep the file open.
            Pooling = false,
            DefaultTimeout = (int)Math.Ceiling(options.BusyTimeout.TotalSeconds),
        }.ToString();
    }

    public string Name { get; }

    /// <summary>SQLite has one writer at a time; waiting in our own queue is fair and needs no polling, unlike its busy handler.</summary>
    public int WritersMax => 1;

    public async Task<DbConnection> OpenAsync(bool forWriting, CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = string.Create(CultureInfo.InvariantCulture,
                $"""
                PRAGMA busy_timeout = {(int)_options.BusyTimeout.TotalMilliseconds};
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = {(_options.FlushEveryCommit ? "FULL" : "NORMAL")};
                PRAGMA query_only = {(forWriting ? "OFF" : "ON")};
                """);
            await command.ExecuteNonQueryAsync(cancellationToken);
            // The pragmas say nothing about a file that is no database; the first look at its tables does.
            command.CommandText = "SELECT COUNT(*) FROM sqlite_master";
            await command.ExecuteScalarAsync(cancellationToken);
            return connection;
        }
        catch (SqliteException e)
        {
            await connection.DisposeAsync();
            throw new StorageException($"cannot open the database '{Name}': {Meaning(e)}", e);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    // BEGIN IMMEDIATE holds the write lock already.
    public Task LockMigrationsAsync(StorageSession session, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Immediate: a transaction that began by reading and turns to writing can fail at once when another process wrote in between.
    /// </summary>
    public ValueTask<DbTransaction> BeginWriteAsync(DbConnection connection, CancellationToken cancellationToken) =>
        new(((SqliteConnection)connection).BeginTransaction(IsolationLevel.Serializable, deferred: false));

    /// <summary>
    /// After some errors, such as a full disk, SQLite has rolled back by itself. The driver does not know, and the error of its own ROLLBACK would
    /// hide the first one and keep the file open. Within a transaction a BEGIN is refused and does nothing.
    /// </summary>
    public void PrepareRollback(DbConnection connection)
    {
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = "BEGIN";
            command.ExecuteNonQuery();
        }
        catch (Exception e) when (e is SqliteException or InvalidOperationException)
        {
            // There is a transaction, or a connection that is good for nothing any more.
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Meaning(SqliteException e) => e.SqliteErrorCode switch
    {
        5 or 6 => "another program holds a lock on it",
        8 => "it cannot be written",
        10 => "its disk reports an error",
        13 => "its disk is full",
        14 => "the file cannot be opened; its folder must exist and be writable",
        26 => "the file is not a SQLite database",
        _ => e.Message,
    };
}
