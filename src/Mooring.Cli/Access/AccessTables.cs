using Mooring.Storage;

namespace Mooring.Cli.Access;

/// <summary>The tables of accounts, tokens, sessions and the audit log. Times are milliseconds of UTC.</summary>
internal static class AccessTables
{
    internal const string Slice = "access";

    internal static readonly IReadOnlyList<Migration> Migrations =
    [
        new(1, "accounts, tokens, sessions, audit", """
            CREATE TABLE access_accounts (
                name TEXT NOT NULL PRIMARY KEY, role BIGINT NOT NULL, password TEXT, created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL);
            CREATE TABLE access_tokens (
                account TEXT NOT NULL, label TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created_at BIGINT NOT NULL, expires_at BIGINT, used_at BIGINT,
                PRIMARY KEY (account, label));
            CREATE TABLE access_sessions (
                hash TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, created_at BIGINT NOT NULL, used_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
            CREATE INDEX access_sessions_account ON access_sessions (account);
            CREATE TABLE access_audit (
                id BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL,
                outcome TEXT NOT NULL, milliseconds BIGINT NOT NULL);
            """),
    ];
}
