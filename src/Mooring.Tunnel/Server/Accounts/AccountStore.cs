using System.Collections.Concurrent;
using System.Data.Common;
using Mooring.Storage;

namespace Mooring.Tunnel.Server.Accounts;

/// <summary>Accounts and their tokens. A token is found by the index on its hash, however many there are.</summary>
internal sealed class AccountStore(Database database, Quota standard, TimeProvider time)
{
    /// <summary>How often the date of a token's last use is written: often enough to find forgotten tokens, too seldom to cost anything.</summary>
    private static readonly TimeSpan s_lastUsedPeriod = TimeSpan.FromMinutes(1);

    /// <summary>Tokens whose use is to be written; beyond it the dates are a little older.</summary>
    private const int UsesMax = 100_000;

    private readonly ConcurrentDictionary<string, long> _uses = new(StringComparer.Ordinal);

    private const string AccountColumns =
        "a.id, a.email, t.id, t.scopes, a.tunnels, a.sessions, a.streams, a.requests_per_second, t.last_used, a.bytes_per_day, d.day, d.bytes";

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The account of a token; null when it is unknown, revoked, or its account is disabled.</summary>
    public async ValueTask<Account?> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length is 0 or > TokenText.LengthMax) return null;
        var hash = TokenText.Hash(token);
        var rows = await database.ReadAsync(
            (session, stop) => session.QueryAsync(
                $"""
                SELECT {AccountColumns} FROM tunnel_tokens t JOIN tunnel_accounts a ON a.id = t.account LEFT JOIN tunnel_traffic d ON d.account = a.id
                WHERE t.hash = @hash AND t.revoked = 0 AND a.disabled = 0
                """, row => (Account: ReadAccount(row), LastUsed: row.GetInt64(8)), [("hash", hash)], stop),
            cancellationToken);
        if (rows is not [var found]) return null;
        if (Now - found.LastUsed > s_lastUsedPeriod.TotalMilliseconds && _uses.Count < UsesMax) _uses[found.Account.TokenId] = Now;
        return found.Account;
    }

    /// <summary>Creates an account with one token, which is returned and never seen again; null when the address is taken.</summary>
    public Task<(string AccountId, string Token)?> RegisterAsync(string email, TokenScopes scopes, CancellationToken cancellationToken)
    {
        var token = TokenText.Create();
        var id = Guid.NewGuid().ToString("N");
        return database.WriteAsync<(string, string)?>(
            async (session, stop) =>
            {
                var added = await session.ExecuteAsync(
                    "INSERT INTO tunnel_accounts (id, email, created, disabled) VALUES (@id, @email, @now, 0) ON CONFLICT DO NOTHING",
                    [("id", id), ("email", email), ("now", Now)], stop);
                if (added == 0) return null;
                await AddTokenAsync(session, id, token, scopes, "registration", stop);
                return (id, token);
            },
            cancellationToken);
    }

    /// <summary>One more token for an account; null when there is no such account.</summary>
    public Task<string?> AddTokenAsync(string accountId, TokenScopes scopes, string label, CancellationToken cancellationToken)
    {
        var token = TokenText.Create();
        return database.WriteAsync<string?>(
            async (session, stop) =>
            {
                if (await session.NumberAsync("SELECT COUNT(*) FROM tunnel_accounts WHERE id = @id", [("id", accountId)], stop) is 0 or null) return null;
                await AddTokenAsync(session, accountId, token, scopes, label, stop);
                return token;
            },
            cancellationToken);
    }

    /// <summary>Makes sure that a token of the operator's choice exists, on an account of its own.</summary>
    public Task EnsureTokenAsync(string token, string email, TokenScopes scopes, CancellationToken cancellationToken) => database.WriteAsync(
        async (session, stop) =>
        {
            var hash = TokenText.Hash(token);
            if (await session.NumberAsync("SELECT COUNT(*) FROM tunnel_tokens WHERE hash = @hash", [("hash", hash)], stop) > 0) return 0;
            var ids = await session.QueryAsync("SELECT id FROM tunnel_accounts WHERE email = @email", row => row.GetString(0), [("email", email)], stop);
            var id = ids.Count > 0 ? ids[0] : Guid.NewGuid().ToString("N");
            if (ids.Count == 0)
            {
                await session.ExecuteAsync(
                    "INSERT INTO tunnel_accounts (id, email, created, disabled) VALUES (@id, @email, @now, 0)",
                    [("id", id), ("email", email), ("now", Now)], stop);
            }
            await AddTokenAsync(session, id, token, scopes, "operator", stop);
            return 0;
        },
        cancellationToken);

    /// <summary>Replaces a token: the new one works, the old one does not.</summary>
    public Task<string> RotateAsync(Account account, CancellationToken cancellationToken)
    {
        var token = TokenText.Create();
        return database.WriteAsync(
            async (session, stop) =>
            {
                await session.ExecuteAsync("UPDATE tunnel_tokens SET revoked = @now WHERE id = @id", [("id", account.TokenId), ("now", Now)], stop);
                await AddTokenAsync(session, account.Id, token, account.Scopes, "rotation", stop);
                return token;
            },
            cancellationToken);
    }

    /// <summary>Revokes one token; false when there is none with this id.</summary>
    public Task<bool> RevokeAsync(string accountId, string tokenId, CancellationToken cancellationToken) => database.WriteAsync(
        async (session, stop) => await session.ExecuteAsync(
            "UPDATE tunnel_tokens SET revoked = @now WHERE id = @id AND account = @account AND revoked = 0",
            [("id", tokenId), ("account", accountId), ("now", Now)], stop) > 0,
        cancellationToken);

    /// <summary>Sets what an account may use; false when there is no such account.</summary>
    public Task<bool> SetQuotaAsync(string accountId, Quota quota, CancellationToken cancellationToken) => database.WriteAsync(
        async (session, stop) => await session.ExecuteAsync(
            "UPDATE tunnel_accounts SET tunnels = @t, sessions = @s, streams = @c, requests_per_second = @r, bytes_per_day = @b WHERE id = @id",
            [("id", accountId), ("t", (long)quota.Tunnels), ("s", (long)quota.Sessions), ("c", (long)quota.Streams), ("r", (long)quota.RequestsPerSecond), ("b", quota.BytesPerDay)],
            stop) > 0,
        cancellationToken);

    /// <summary>Lets an account's tokens work, or not; false when there is no such account.</summary>
    public Task<bool> SetDisabledAsync(string accountId, bool isDisabled, CancellationToken cancellationToken) => database.WriteAsync(
        async (session, stop) => await session.ExecuteAsync(
            "UPDATE tunnel_accounts SET disabled = @disabled WHERE id = @id", [("id", accountId), ("disabled", isDisabled ? 1L : 0L)], stop) > 0,
        cancellationToken);

    /// <summary>Everything about an account but its tokens themselves; null when there is no such account.</summary>
    public Task<AccountDetail?> FindAsync(string accountId, CancellationToken cancellationToken) => database.ReadAsync(
        async (session, stop) =>
        {
            var tokens = await session.QueryAsync(
                "SELECT id, label, scopes, created, last_used FROM tunnel_tokens WHERE account = @id AND revoked = 0 ORDER BY created, id",
                row => new TokenSummary(row.GetString(0), row.GetString(1), ((TokenScopes)row.GetInt64(2)).HasFlag(TokenScopes.Admin), row.GetInt64(3), row.GetInt64(4)),
                [("id", accountId)], stop);
            var rows = await session.QueryAsync(
                """
                SELECT id, email, created, disabled, tunnels, sessions, streams, requests_per_second, bytes_per_day FROM tunnel_accounts WHERE id = @id
                """,
                row => new AccountDetail(
                    row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3) != 0,
                    new Quota(
                        Number(row, 4, standard.Tunnels), Number(row, 5, standard.Sessions), Number(row, 6, standard.Streams), Number(row, 7, standard.RequestsPerSecond),
                        row.IsDBNull(8) ? standard.BytesPerDay : row.GetInt64(8)),
                    tokens),
                [("id", accountId)], stop);
            return rows is [var found] ? found : null;
        },
        cancellationToken);

    /// <summary>Writes what accounts carried, so that a restart gives nobody a new day.</summary>
    public Task WriteTrafficAsync(IReadOnlyList<(string Account, Traffic Traffic)> carried) => database.WriteAsync(
        async (session, stop) =>
        {
            foreach (var (account, traffic) in carried)
            {
                await session.ExecuteAsync(
                    "INSERT INTO tunnel_traffic (account, day, bytes) VALUES (@account, @day, @bytes) ON CONFLICT (account) DO UPDATE SET day = excluded.day, bytes = excluded.bytes",
                    [("account", account), ("day", (long)traffic.Day), ("bytes", traffic.Bytes)], stop);
            }
            return 0;
        });

    /// <summary>Accounts after a given id, in the order of ids.</summary>
    public Task<List<AccountSummary>> ListAsync(string after, int count, CancellationToken cancellationToken) => database.ReadAsync(
        (session, stop) => session.QueryAsync(
            """
            SELECT a.id, a.email, a.created, a.disabled, (SELECT COUNT(*) FROM tunnel_tokens t WHERE t.account = a.id AND t.revoked = 0)
            FROM tunnel_accounts a WHERE a.id > @after ORDER BY a.id LIMIT @count
            """,
            row => new AccountSummary(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3) != 0, (int)row.GetInt64(4)),
            [("after", after), ("count", (long)count)], stop),
        cancellationToken);

    /// <summary>Writes when tokens were used last, all in one transaction: nobody who logs in waits for it.</summary>
    public async Task WriteUsesAsync()
    {
        if (_uses.IsEmpty) return;
        await database.WriteAsync(
            async (session, stop) =>
            {
                foreach (var (tokenId, at) in _uses)
                {
                    await session.ExecuteAsync("UPDATE tunnel_tokens SET last_used = @at WHERE id = @id", [("id", tokenId), ("at", at)], stop);
                    _uses.TryRemove(new KeyValuePair<string, long>(tokenId, at));
                }
                return 0;
            });
    }

    private async Task AddTokenAsync(
        StorageSession session, string accountId, string token, TokenScopes scopes, string label, CancellationToken cancellationToken) =>
        await session.ExecuteAsync(
            "INSERT INTO tunnel_tokens (id, account, hash, scopes, label, created, last_used, revoked) VALUES (@id, @account, @hash, @scopes, @label, @now, 0, 0)",
            [
                ("id", Guid.NewGuid().ToString("N")), ("account", accountId), ("hash", TokenText.Hash(token)), ("scopes", (long)scopes),
                ("label", label), ("now", Now),
            ],
            cancellationToken);

    private Account ReadAccount(DbDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), (TokenScopes)row.GetInt64(3),
        new Quota(
            Number(row, 4, standard.Tunnels), Number(row, 5, standard.Sessions), Number(row, 6, standard.Streams), Number(row, 7, standard.RequestsPerSecond),
            row.IsDBNull(9) ? standard.BytesPerDay : row.GetInt64(9)),
        row.IsDBNull(10) ? default : new Traffic((int)row.GetInt64(10), row.GetInt64(11)));

    private static int Number(DbDataReader row, int column, int fallback) => row.IsDBNull(column) ? fallback : (int)row.GetInt64(column);
}
