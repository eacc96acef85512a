using Mooring.Storage;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Which account a name, a host name or a port belongs to, beyond the life of a connection.</summary>
internal sealed class NameStore(Database database, TimeProvider time)
{
    /// <summary>Reserved by an operator: no end.</summary>
    private const long Forever = long.MaxValue;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Takes a name for an account until a moment; false when another account has it.</summary>
    public Task<bool> TryClaimAsync(string label, string account, TimeSpan lease, CancellationToken cancellationToken = default) => database.WriteAsync(
        async (session, stop) => await session.ExecuteAsync(
            """
            INSERT INTO tunnel_names (label, account, expires) VALUES (@label, @account, @until)
            ON CONFLICT (label) DO UPDATE SET
                account = excluded.account,
                expires = CASE WHEN tunnel_names.expires = @forever THEN tunnel_names.expires ELSE excluded.expires END
            WHERE tunnel_names.account = excluded.account OR tunnel_names.expires < @now
            """,
            [("label", label), ("account", account), ("until", Now + (long)lease.TotalMilliseconds), ("now", Now), ("forever", Forever)], stop) > 0,
        cancellationToken);

    /// <summary>Gives a name to an account for good.</summary>
    public Task<bool> ReserveAsync(string label, string account, CancellationToken cancellationToken) => database.WriteAsync(
        async (session, stop) =>
        {
            if (await session.NumberAsync("SELECT COUNT(*) FROM tunnel_accounts WHERE id = @id", [("id", account)], stop) is 0 or null) return false;
            await session.ExecuteAsync(
                "INSERT INTO tunnel_names (label, account, expires) VALUES (@label, @account, @until) ON CONFLICT (label) DO UPDATE SET account = excluded.account, expires = excluded.expires",
                [("label", label), ("account", account), ("until", Forever)], stop);
            return true;
        },
        cancellationToken);

    public Task<List<NameReservation>> ListAsync(string after, int count, CancellationToken cancellationToken) => database.ReadAsync(
        (session, stop) => session.QueryAsync(
            "SELECT label, account, expires FROM tunnel_names WHERE label > @after ORDER BY label LIMIT @count",
            row => new NameReservation(row.GetString(0), row.GetString(1), row.GetInt64(2) == Forever ? null : row.GetInt64(2)),
            [("after", after), ("count", (long)count)], stop),
        cancellationToken);

    /// <summary>Whose a name is; null for nobody's.</summary>
    public async Task<NameReservation?> FindAsync(string label, CancellationToken cancellationToken) => (await database.ReadAsync(
        (session, stop) => session.QueryAsync(
            "SELECT label, account, expires FROM tunnel_names WHERE label = @label",
            row => new NameReservation(row.GetString(0), row.GetString(1), row.GetInt64(2) == Forever ? null : row.GetInt64(2)), [("label", label)], stop),
        cancellationToken)).FirstOrDefault();

    /// <summary>The port that an account had last, or null.</summary>
    public async Task<int?> LastPortAsync(string account, IReadOnlyCollection<int> busy) => (await database.ReadAsync(
        (session, stop) => session.QueryAsync(
            "SELECT port FROM tunnel_ports WHERE account = @account ORDER BY port", row => (int)row.GetInt64(0), [("account", account)], stop)))
        .Where(port => !busy.Contains(port)).Select(port => (int?)port).FirstOrDefault();

    /// <summary>Leases a port; false when another account has it.</summary>
    public Task<bool> TryLeasePortAsync(int port, string account, bool takeOver) => database.WriteAsync(
        async (session, stop) => await session.ExecuteAsync(
            """
            INSERT INTO tunnel_ports (port, account) VALUES (@port, @account)
            ON CONFLICT (port) DO UPDATE SET account = excluded.account WHERE tunnel_ports.account = excluded.account OR @takeover = 1
            """,
            [("port", (long)port), ("account", account), ("takeover", takeOver ? 1L : 0L)], stop) > 0);

    public Task<List<PortLease>> ListPortsAsync(CancellationToken cancellationToken) => database.ReadAsync(
        (session, stop) => session.QueryAsync(
            "SELECT port, account FROM tunnel_ports ORDER BY port", row => new PortLease((int)row.GetInt64(0), row.GetString(1)), null, stop),
        cancellationToken);

    public Task<HashSet<int>> LeasedPortsAsync() => database.ReadAsync(
        async (session, stop) => (await session.QueryAsync("SELECT port FROM tunnel_ports", row => (int)row.GetInt64(0), null, stop)).ToHashSet());
}
