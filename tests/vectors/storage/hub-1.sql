-- A database of the hub tables as version 1 of them left it. It is never changed: a later version gets a file of its own.
CREATE TABLE mooring_migrations (
    slice TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (slice, version)
);
CREATE TABLE hub_agents (
    id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, fingerprint TEXT NOT NULL, not_after BIGINT NOT NULL, pinned BIGINT NOT NULL,
    created_at BIGINT NOT NULL, claimed_at BIGINT, revoked_at BIGINT, last_seen_at BIGINT);
CREATE TABLE hub_devices (
    agent TEXT NOT NULL, device TEXT NOT NULL, specification TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (agent, device));
CREATE TABLE hub_beats (agent TEXT NOT NULL, at BIGINT NOT NULL, beat TEXT NOT NULL, PRIMARY KEY (agent, at));
CREATE TABLE hub_events (id BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, agent TEXT NOT NULL, details TEXT NOT NULL);
CREATE TABLE hub_audit (
    at BIGINT NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL, agent TEXT NOT NULL, device TEXT, action TEXT NOT NULL,
    correlation_id BIGINT, result TEXT NOT NULL, milliseconds BIGINT NOT NULL);
CREATE INDEX hub_audit_at ON hub_audit (at);
CREATE TABLE hub_tokens (
    name TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, role BIGINT NOT NULL, agents TEXT NOT NULL, expires_at BIGINT);
CREATE TABLE hub_numbers (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO mooring_migrations (slice, version, name) VALUES ('hub', 1, 'agents, devices, history, events, audit, tokens');
INSERT INTO hub_agents (id, name, fingerprint, not_after, pinned, created_at, claimed_at, revoked_at, last_seen_at)
VALUES ('line-4', 'Line 4', 'AB', 4102444800000, 0, 1893456000000, 1893456000000, NULL, NULL);
INSERT INTO hub_tokens (name, hash, role, agents, expires_at) VALUES ('anna', 'CD', 0, '[]', NULL);
