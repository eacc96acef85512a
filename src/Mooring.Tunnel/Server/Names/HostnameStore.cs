using System.Security.Cryptography;
using Mooring.Storage;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Host names that accounts bring, and whether they have shown that they own them.</summary>
internal sealed class HostnameStore(Database database)
{
    public async Task<OwnHostname?> FindAsync(string hostname, CancellationToken cancellationToken = default)
    {
        var rows = await database.ReadAsync(
            (session, stop) => session.QueryAsync(
                "SELECT hostname, account, challenge, verified FROM tunnel_hostnames WHERE hostname = @hostname", Read, [("hostname", hostname)], stop),
            cancellationToken);
        return rows is [var found] ? found : null;
    }

    /// <summary>Registers a host name, or finds it registered; null when another account has verified it.</summary>
    public Task<OwnHostname?> AddAsync(string hostname, string account, CancellationToken cancellationToken) => database.WriteAsync(
        async (session, stop) =>
        {
            await session.ExecuteAsync(
                """
                INSERT INTO tunnel_hostnames (hostname, account, challenge, verified) VALUES (@hostname, @account, @challenge, 0)
                ON CONFLICT (hostname) DO UPDATE SET account = excluded.account, challenge = excluded.challenge
                WHERE tunnel_hostnames.verified = 0 AND tunnel_hostnames.account <> excluded.account
                """,
                [("hostname", hostname), ("account", account), ("challenge", RandomNumberGenerator.GetHexString(32, lowercase: true))], stop);
            var rows = await session.QueryAsync(
                "SELECT hostname, account, challenge, verified FROM tunnel_hostnames WHERE hostname = @hostname AND account = @account", Read,
                [("hostname", hostname), ("account", account)], stop);
            return rows is [var found] ? found : null;
        },
        cancellationToken);

    public Task<List<OwnHostname>> ListAsync(string account, CancellationToken cancellationToken) => database.ReadAsync(
        (session, stop) => session.QueryAsync(
            "SELECT hostname, account, challenge, verified FROM tunnel_hostnames WHERE account = @account OR @account = '' ORDER BY hostname", Read,
            [("account", account)], stop),
        cancellationToken);

    public Task SetVerifiedAsync(string hostname, CancellationToken cancellationToken) => database.WriteAsync(
        (session, stop) => session.ExecuteAsync("UPDATE tunnel_hostnames SET verified = 1 WHERE hostname = @hostname", [("hostname", hostname)], stop),
        cancellationToken);

    public Task<bool> RemoveAsync(string hostname, string account, CancellationToken cancellationToken) => database.WriteAsync(
        async (session, stop) => await session.ExecuteAsync(
            "DELETE FROM tunnel_hostnames WHERE hostname = @hostname AND account = @account", [("hostname", hostname), ("account", account)], stop) > 0,
        cancellationToken);

    private static OwnHostname Read(System.Data.Common.DbDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3) != 0);
}
