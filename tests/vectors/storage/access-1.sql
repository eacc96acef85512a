-- A database of the access tables as version 1 of them left it. It is never changed: a later version gets a file of its own.
CREATE TABLE mooring_migrations (
    slice TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (slice, version)
);
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
INSERT INTO mooring_migrations (slice, version, name) VALUES ('access', 1, 'accounts, tokens, sessions, audit');
INSERT INTO access_accounts (name, role, password, created_at, changed_at) VALUES ('anna', 2, NULL, 1893456000000, 1893456000000);
INSERT INTO access_tokens (account, label, hash, created_at, expires_at, used_at) VALUES ('anna', 'ci', 'EF', 1893456000000, NULL, NULL);
