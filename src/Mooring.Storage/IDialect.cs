using System.Data.Common;

namespace Mooring.Storage;

/// <summary>What differs between the two databases: how a connection is made, and what a driver's error means.</summary>
internal interface IDialect : IAsyncDisposable
{
    /// <summary>The database as a person may read it, without a password.</summary>
    string Name { get; }

    /// <summary>Writers at the same time.</summary>
    int WritersMax { get; }

    /// <summary>Opens a connection that is ready for use.</summary>
    Task<DbConnection> OpenAsync(bool forWriting, CancellationToken cancellationToken);

    /// <summary>Keeps others from migrating at the same time, until the transaction ends.</summary>
    Task LockMigrationsAsync(StorageSession session, CancellationToken cancellationToken);

    /// <summary>Begins a transaction that will write.</summary>
    ValueTask<DbTransaction> BeginWriteAsync(DbConnection connection, CancellationToken cancellationToken);

    /// <summary>Makes sure that the transaction, in which something failed, can be rolled back.</summary>
    void PrepareRollback(DbConnection connection);
}
