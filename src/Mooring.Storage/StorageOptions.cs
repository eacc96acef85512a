namespace Mooring.Storage;

/// <summary>Which database, and how it is used.</summary>
public sealed record StorageOptions
{
    /// <summary>
    /// A file name for SQLite (made when missing), or a connection string for PostgreSQL: <c>postgresql://user:password@host:port/name</c>
    /// or <c>Host=...;Username=...;Database=...</c>.
    /// </summary>
    public required string Database { get; init; }

    /// <summary>Connections that read at the same time. Default 4 for a file, since reads there are short; PostgreSQL's pool is as large.</summary>
    public int ReadersMax { get; init; } = 4;

    /// <summary>How long to wait for a lock of another process. Default 5 s: a backup or a shell may hold one for a moment.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// True (default): a commit is on disk when it returns, whatever happens to the machine. False: it survives the death of the
    /// process, but a power failure may take the last commits. SQLite only; faster by the cost of a disk flush per commit.
    /// </summary>
    public bool FlushEveryCommit { get; init; } = true;
}
