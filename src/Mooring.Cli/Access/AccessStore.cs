using System.Data.Common;
using Mooring.Cli.Data;
using Mooring.Storage;

namespace Mooring.Cli.Access;

/// <summary>
/// Accounts, tokens and sessions. Every request looks here, so that what <c>mooring user</c> changes in another process counts at once; a look
/// costs some ten microseconds.
/// </summary>
internal sealed class AccessStore(Database database, AccessLimits limits, TimeProvider time) : IAsyncDisposable
{
    private const string FileName = "access.db";

    internal Database Database => database;

    internal static async Task<AccessStore> OpenAsync(string dataFolder, AccessLimits limits, TimeProvider time, CancellationToken cancellationToken)
    {
        DataFolder.Make(dataFolder);
        var file = Path.Combine(dataFolder, FileName);
        MakePrivate(file);
        var database = await Database.OpenAsync(new StorageOptions { Database = file }, cancellationToken);
        try
        {
            await database.MigrateAsync(AccessTables.Slice, AccessTables.Migrations, cancellationToken);
            return new AccessStore(database, limits, time);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an account; false when there is one of that name.</summary>
    internal async Task<bool> AddAsync(string name, OperatorRole role, string? passwordHash, CancellationToken cancellationToken) =>
        await database.WriteAsync((session, token) => session.ExecuteAsync(
            "INSERT INTO access_accounts (name, role, password, created_at, changed_at) VALUES (@name, @role, @password, @now, @now) ON CONFLICT DO NOTHING",
            [("name", name), ("role", (long)role), ("password", passwordHash), ("now", Now)], token), cancellationToken) > 0;

    /// <summary>Gives an account another password and ends its sessions; false when there is no such account.</summary>
    internal Task<bool> SetPasswordAsync(string name, string passwordHash, CancellationToken cancellationToken) => database.WriteAsync(async (session, token) =>
    {
        await session.ExecuteAsync("DELETE FROM access_sessions WHERE account = @name", [("name", name)], token);
        return await session.ExecuteAsync(
            "UPDATE access_accounts SET password = @password, changed_at = @now WHERE name = @name",
            [("name", name), ("password", passwordHash), ("now", Now)], token) > 0;
    }, cancellationToken);

    /// <summary>Gives an account another role, at once also in its sessions.</summary>
    internal async Task<bool> SetRoleAsync(string name, OperatorRole role, CancellationToken cancellationToken) =>
        await database.WriteAsync((session, token) => session.ExecuteAsync(
            "UPDATE access_accounts SET role = @role, changed_at = @now WHERE name = @name", [("name", name), ("role", (long)role), ("now", Now)], token), cancellationToken) > 0;

    /// <summary>Removes an account with its tokens and sessions.</summary>
    internal Task<bool> RemoveAsync(string name, CancellationToken cancellationToken) => database.WriteAsync(async (session, token) =>
    {
        await session.ExecuteAsync("DELETE FROM access_sessions WHERE account = @name", [("name", name)], token);
        await session.ExecuteAsync("DELETE FROM access_tokens WHERE account = @name", [("name", name)], token);
        return await session.ExecuteAsync("DELETE FROM access_accounts WHERE name = @name", [("name", name)], token) > 0;
    }, cancellationToken);

    internal Task<List<AccountRecord>> AccountsAsync(CancellationToken cancellationToken) => database.ReadAsync(async (session, token) =>
    {
        var tokens = (await session.QueryAsync(
                "SELECT account, label, created_at, expires_at, used_at FROM access_tokens ORDER BY account, label",
                row => (Account: row.GetString(0), Token: new TokenRecord(row.GetString(1), Time(row.GetInt64(2)), OptionalTime(row, 3), OptionalTime(row, 4))), null, token))
            .ToLookup(pair => pair.Account, pair => pair.Token);
        return await session.QueryAsync(
            "SELECT name, role, password IS NOT NULL, created_at FROM access_accounts ORDER BY name",
            row => new AccountRecord(row.GetString(0), (OperatorRole)row.GetInt64(1), row.GetBoolean(2), Time(row.GetInt64(3)), [.. tokens[row.GetString(0)]]), null, token);
    }, cancellationToken);

    /// <summary>The hash of an account's password; null when it cannot log in.</summary>
    internal async Task<string?> PasswordAsync(string name, CancellationToken cancellationToken) => (await database.ReadAsync((session, token) => session.QueryAsync(
        "SELECT password FROM access_accounts WHERE name = @name AND password IS NOT NULL", row => row.GetString(0), [("name", name)], token), cancellationToken)).FirstOrDefault();

    /// <summary>Makes a token, or another in the place of the one with the same label; null when there is no such account.</summary>
    internal Task<string?> AddTokenAsync(string account, string label, TimeSpan? lifetime, CancellationToken cancellationToken) => database.WriteAsync(async (session, token) =>
    {
        if (await session.NumberAsync("SELECT COUNT(*) FROM access_accounts WHERE name = @account", [("account", account)], token) == 0) return null;
        var secret = AccessSecret.NewToken();
        await session.ExecuteAsync(
            """
            INSERT INTO access_tokens (account, label, hash, created_at, expires_at) VALUES (@account, @label, @hash, @now, @end)
            ON CONFLICT (account, label) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at, used_at = NULL
            """,
            [("account", account), ("label", label), ("hash", AccessSecret.HashOf(secret)), ("now", Now), ("end", lifetime is { } span ? Now + (long)span.TotalMilliseconds : null)], token);
        return secret;
    }, cancellationToken);

    internal async Task<bool> RemoveTokenAsync(string account, string label, CancellationToken cancellationToken) =>
        await database.WriteAsync((session, token) => session.ExecuteAsync(
            "DELETE FROM access_tokens WHERE account = @account AND label = @label", [("account", account), ("label", label)], token), cancellationToken) > 0;

    /// <summary>Whose token it is; null when it is nobody's, or has ended.</summary>
    internal Task<OperatorIdentity?> ByTokenAsync(string secret, CancellationToken cancellationToken) => IdentifyAsync(
        """
        SELECT a.name, a.role, t.used_at FROM access_tokens t JOIN access_accounts a ON a.name = t.account
        WHERE t.hash = @hash AND (t.expires_at IS NULL OR t.expires_at > @now)
        """,
        "UPDATE access_tokens SET used_at = @now WHERE hash = @hash", secret, "token", cancellationToken);

    /// <summary>Whose session it is; null when it is nobody's, or has ended.</summary>
    internal Task<OperatorIdentity?> BySessionAsync(string secret, CancellationToken cancellationToken) => IdentifyAsync(
        """
        SELECT a.name, a.role, s.used_at FROM access_sessions s JOIN access_accounts a ON a.name = s.account
        WHERE s.hash = @hash AND s.expires_at > @now AND s.used_at > @idle
        """,
        "UPDATE access_sessions SET used_at = @now WHERE hash = @hash", secret, OperatorIdentity.BySession, cancellationToken);

    /// <summary>Begins a session; those that have ended, and the oldest of too many, go.</summary>
    internal Task<string> BeginSessionAsync(string account, CancellationToken cancellationToken) => database.WriteAsync(async (session, token) =>
    {
        var secret = AccessSecret.NewSession();
        await session.ExecuteAsync("DELETE FROM access_sessions WHERE expires_at <= @now OR used_at <= @idle", [("now", Now), ("idle", Idle)], token);
        await session.ExecuteAsync(
            """
            DELETE FROM access_sessions WHERE account = @account AND hash NOT IN (
                SELECT hash FROM access_sessions WHERE account = @account ORDER BY created_at DESC LIMIT @most)
            """,
            [("account", account), ("most", (long)limits.SessionsPerAccount - 1)], token);
        await session.ExecuteAsync(
            "INSERT INTO access_sessions (hash, account, created_at, used_at, expires_at) VALUES (@hash, @account, @now, @now, @end)",
            [("hash", AccessSecret.HashOf(secret)), ("account", account), ("now", Now), ("end", Now + (long)limits.SessionLifetime.TotalMilliseconds)], token);
        return secret;
    }, cancellationToken);

    internal Task<int> EndSessionAsync(string secret, CancellationToken cancellationToken) => database.WriteAsync((session, token) => session.ExecuteAsync(
        "DELETE FROM access_sessions WHERE hash = @hash", [("hash", AccessSecret.HashOf(secret))], token), cancellationToken);

    public ValueTask DisposeAsync() => database.DisposeAsync();

    /// <summary>SQLite gives the files beside a database the permissions of the database.</summary>
    private static void MakePrivate(string file)
    {
        if (File.Exists(file)) return;
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        new FileStream(file, options).Dispose();
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private long Idle => Now - (long)limits.SessionIdle.TotalMilliseconds;

    private async Task<OperatorIdentity?> IdentifyAsync(string query, string note, string secret, string means, CancellationToken cancellationToken)
    {
        var hash = AccessSecret.HashOf(secret);
        var now = Now;
        (string Name, object? Value)[] parameters = query.Contains("@idle", StringComparison.Ordinal)
            ? [("hash", hash), ("now", now), ("idle", Idle)]
            : [("hash", hash), ("now", now)];
        var found = await database.ReadAsync((session, token) => session.QueryAsync(
            query, row => (Name: row.GetString(0), Role: (OperatorRole)row.GetInt64(1), UsedAt: row.IsDBNull(2) ? 0 : row.GetInt64(2)), parameters, token), cancellationToken);
        if (found is not [var one]) return null;
        if (now - one.UsedAt > limits.UseNoted.TotalMilliseconds)
            await database.WriteAsync((session, token) => session.ExecuteAsync(note, [("hash", hash), ("now", now)], token), cancellationToken);
        return new OperatorIdentity(one.Name, one.Role, means);
    }

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static DateTimeOffset? OptionalTime(DbDataReader row, int column) => row.IsDBNull(column) ? null : Time(row.GetInt64(column));
}
