using System.Data;
using System.Data.Common;
using Npgsql;

namespace Mooring.Storage;

/// <summary>PostgreSQL: its own pool, as many writers as it has connections.</summary>
internal sealed class PostgreSqlDialect : IDialect
{
    /// <summary>The advisory lock that migrating processes take; the number only has to be ours. ("Mooring" in ASCII.)</summary>
    private const long MigrationLock = 0x4D6F6F72696E67;

    private readonly NpgsqlDataSource _source;

    public PostgreSqlDialect(StorageOptions options)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = PostgreSqlAddress.Parse(options.Database);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or UriFormatException)
        {
            throw new StorageException("the PostgreSQL connection string is not understood: use postgresql://user:password@host:port/database", e);
        }
        settings.MaxPoolSize = Math.Max(settings.MaxPoolSize == 100 ? options.ReadersMax * 2 : settings.MaxPoolSize, 2);
        Name = $"postgresql://{settings.Host}:{settings.Port}/{settings.Database}";
        WritersMax = settings.MaxPoolSize - 1;
        _source = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString).EnableTransportSecurity().Build();
    }

    public string Name { get; }

    public int WritersMax { get; }

    public async Task<DbConnection> OpenAsync(bool forWriting, CancellationToken cancellationToken)
    {
        try
        {
            return await _source.OpenConnectionAsync(cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw new StorageException($"cannot open the database '{Name}': {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    public Task LockMigrationsAsync(StorageSession session, CancellationToken cancellationToken) =>
        session.ExecuteAsync("SELECT pg_advisory_xact_lock(@key)", [("key", MigrationLock)], cancellationToken);

    public ValueTask<DbTransaction> BeginWriteAsync(DbConnection connection, CancellationToken cancellationToken) =>
        connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);

    public void PrepareRollback(DbConnection connection)
    {
        // The server keeps a failed transaction until it is told to roll it back.
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
