using Mooring.Storage;

namespace Mooring.Tunnel.Server.Accounts;

/// <summary>The tunnel server's tables.</summary>
internal static class AccountTables
{
    internal const string Slice = "tunnel";

    internal static readonly IReadOnlyList<Migration> Migrations =
    [
        new(1, "accounts, tokens, names, host names, ports", """
            CREATE TABLE tunnel_accounts (
                id TEXT NOT NULL PRIMARY KEY,
                email TEXT NOT NULL,
                created BIGINT NOT NULL,
                disabled BIGINT NOT NULL,
                tunnels BIGINT,
                sessions BIGINT,
                streams BIGINT,
                requests_per_second BIGINT
            );
            CREATE UNIQUE INDEX tunnel_accounts_email ON tunnel_accounts (email);
            CREATE TABLE tunnel_tokens (
                id TEXT NOT NULL PRIMARY KEY,
                account TEXT NOT NULL REFERENCES tunnel_accounts (id),
                hash BYTEA NOT NULL,
                scopes BIGINT NOT NULL,
                label TEXT NOT NULL,
                created BIGINT NOT NULL,
                last_used BIGINT NOT NULL,
                revoked BIGINT NOT NULL
            );
            CREATE UNIQUE INDEX tunnel_tokens_hash ON tunnel_tokens (hash);
            CREATE INDEX tunnel_tokens_account ON tunnel_tokens (account);
            CREATE TABLE tunnel_names (
                label TEXT NOT NULL PRIMARY KEY,
                account TEXT NOT NULL REFERENCES tunnel_accounts (id),
                expires BIGINT NOT NULL
            );
            CREATE TABLE tunnel_hostnames (
                hostname TEXT NOT NULL PRIMARY KEY,
                account TEXT NOT NULL REFERENCES tunnel_accounts (id),
                challenge TEXT NOT NULL,
                verified BIGINT NOT NULL
            );
            CREATE TABLE tunnel_ports (
                port BIGINT NOT NULL PRIMARY KEY,
                account TEXT NOT NULL REFERENCES tunnel_accounts (id)
            )
            """),
        new(2, "traffic by day, names that were taken down", """
            ALTER TABLE tunnel_accounts ADD COLUMN bytes_per_day BIGINT;
            CREATE TABLE tunnel_traffic (
                account TEXT NOT NULL PRIMARY KEY REFERENCES tunnel_accounts (id),
                day BIGINT NOT NULL,
                bytes BIGINT NOT NULL
            );
            CREATE TABLE tunnel_takedowns (
                name TEXT NOT NULL PRIMARY KEY,
                reason TEXT NOT NULL,
                since BIGINT NOT NULL
            )
            """),
    ];
}
