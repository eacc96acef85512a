using System.Collections.Concurrent;
using System.Data.Common;

namespace Mooring.Storage;

/// <summary>
/// The store of one process: a SQLite file or a PostgreSQL database, used with the same SQL. Writes run in transactions, one at a time
/// for SQLite; reads run beside them, and each query sees whole transactions only.
/// </summary>
public sealed class Database : IAsyncDisposable
{
    private readonly IDialect _dialect;
    private readonly SemaphoreSlim _writers;
    private readonly SemaphoreSlim _readers;
    private readonly ConcurrentBag<DbConnection> _idleWriters = [];
    private readonly ConcurrentBag<DbConnection> _idleReaders = [];
    private int _disposed;

    private Database(IDialect dialect, StorageOptions options)
    {
        _dialect = dialect;
        _writers = new SemaphoreSlim(dialect.WritersMax);
        _readers = new SemaphoreSlim(Math.Max(options.ReadersMax, 1));
    }

    /// <summary>The database as a person may read it, without a password.</summary>
    public string Name => _dialect.Name;

    /// <summary>True for PostgreSQL: other nodes may share the database.</summary>
    public bool IsShared => _dialect is PostgreSqlDialect;

    /// <summary>Opens the database and makes sure that it can be used.</summary>
    /// <param name="options">Which one, and how.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The database.</returns>
    /// <exception cref="StorageException">It cannot be used.</exception>
    public static async Task<Database> OpenAsync(StorageOptions options, CancellationToken cancellationToken = default)
    {
        IDialect dialect = PostgreSqlAddress.Is(options.Database) ? new PostgreSqlDialect(options) : new SqliteDialect(options);
        var database = new Database(dialect, options);
        try
        {
            await database.WriteAsync((_, _) => Task.FromResult(0), cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Brings the tables of one slice to the newest version; each step and its note are one transaction.</summary>
    /// <param name="slice">Name of the slice.</param>
    /// <param name="migrations">All its steps, in order from version 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Steps that were applied.</returns>
    /// <exception cref="StorageException">The database is newer than this program, or a step failed.</exception>
    public Task<int> MigrateAsync(string slice, IReadOnlyList<Migration> migrations, CancellationToken cancellationToken = default) =>
        new Migrator(this, _dialect).RunAsync(slice, migrations, cancellationToken);

    /// <summary>Writes in one transaction: committed when <paramref name="write"/> returns, rolled back when it throws.</summary>
    /// <typeparam name="T">What it results in.</typeparam>
    /// <param name="write">Reads and writes; awaits nothing but the session, since others wait for it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The result.</returns>
    public async Task<T> WriteAsync<T>(Func<StorageSession, CancellationToken, Task<T>> write, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        await _writers.WaitAsync(cancellationToken);
        try
        {
            return await UseAsync(_idleWriters, forWriting: true, async connection =>
            {
                await using var transaction = await _dialect.BeginWriteAsync(connection, cancellationToken);
                try
                {
                    var result = await write(new StorageSession(connection, transaction), cancellationToken);
                    await transaction.CommitAsync(CancellationToken.None);
                    return result;
                }
                catch
                {
                    _dialect.PrepareRollback(connection);
                    throw;
                }
            }, cancellationToken);
        }
        finally
        {
            _writers.Release();
        }
    }

    /// <summary>Reads.</summary>
    /// <typeparam name="T">What it results in.</typeparam>
    /// <param name="read">Reads only.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The result.</returns>
    public async Task<T> ReadAsync<T>(Func<StorageSession, CancellationToken, Task<T>> read, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        await _readers.WaitAsync(cancellationToken);
        try
        {
            return await UseAsync(
                _idleReaders, forWriting: false, connection => read(new StorageSession(connection, null), cancellationToken), cancellationToken);
        }
        finally
        {
            _readers.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        while (_idleReaders.TryTake(out var reader)) await reader.DisposeAsync();
        while (_idleWriters.TryTake(out var writer)) await writer.DisposeAsync();
        await _dialect.DisposeAsync();
    }

    private async Task<T> UseAsync<T>(
        ConcurrentBag<DbConnection> idle, bool forWriting, Func<DbConnection, Task<T>> use, CancellationToken cancellationToken)
    {
        if (!idle.TryTake(out var connection)) connection = await _dialect.OpenAsync(forWriting, cancellationToken);
        var isGood = false;
        try
        {
            var result = await use(connection);
            isGood = true;
            return result;
        }
        finally
        {
            // After an error the connection may be in any state. A new one costs little and errors are rare. PostgreSQL's pool keeps its own.
            if (isGood && !IsShared && Volatile.Read(ref _disposed) == 0) idle.Add(connection);
            else await connection.DisposeAsync();
        }
    }
}
