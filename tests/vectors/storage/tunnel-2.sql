-- A database of the tunnel tables as version 2 of them left it. It is never changed: a later version gets a file of its own.
CREATE TABLE mooring_migrations (
    slice TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (slice, version)
);
CREATE TABLE tunnel_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    created BIGINT NOT NULL,
    disabled BIGINT NOT NULL,
    tunnels BIGINT,
    sessions BIGINT,
    streams BIGINT,
    requests_per_second BIGINT,
    bytes_per_day BIGINT
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
);
CREATE TABLE tunnel_traffic (
    account TEXT NOT NULL PRIMARY KEY REFERENCES tunnel_accounts (id),
    day BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
CREATE TABLE tunnel_takedowns (
    name TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL
);
INSERT INTO mooring_migrations (slice, version, name) VALUES ('tunnel', 1, 'accounts, tokens, names, host names, ports'), ('tunnel', 2, 'traffic by day, names that were taken down');
INSERT INTO tunnel_accounts (id, email, created, disabled, tunnels, sessions, streams, requests_per_second, bytes_per_day) VALUES ('acc1', 'anna@example.org', 1893456000000, 0, 7, NULL, NULL, NULL, 1073741824);
INSERT INTO tunnel_tokens (id, account, hash, scopes, label, created, last_used, revoked) VALUES ('tok1', 'acc1', X'00', 1, 'first', 1893456000000, 0, 0);
INSERT INTO tunnel_names (label, account, expires) VALUES ('berth', 'acc1', 4102444800000);
INSERT INTO tunnel_traffic (account, day, bytes) VALUES ('acc1', 21915, 4096);
INSERT INTO tunnel_takedowns (name, reason, since) VALUES ('phish', 'reported', 1893456000000);
