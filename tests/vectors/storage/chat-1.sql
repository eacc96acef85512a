-- A database of the chat tables as version 1 of them left it. It is never changed: a later version gets a file of its own.
CREATE TABLE mooring_migrations (
    slice TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (slice, version)
);
CREATE TABLE chat_state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE chat_rooms (name TEXT PRIMARY KEY, created_by TEXT NOT NULL, created_at BIGINT NOT NULL, topic TEXT NOT NULL, last_seq BIGINT NOT NULL);
CREATE TABLE chat_messages (
    room TEXT NOT NULL, seq BIGINT NOT NULL, id BIGINT NOT NULL, sender TEXT NOT NULL, at BIGINT NOT NULL, text BYTEA NOT NULL,
    PRIMARY KEY (room, seq));
INSERT INTO mooring_migrations (slice, version, name) VALUES ('chat', 1, 'rooms and messages');
INSERT INTO chat_state (name, value) VALUES ('epoch', '00000000000000ab'), ('complete', 'true');
INSERT INTO chat_rooms (name, created_by, created_at, topic, last_seq) VALUES ('berth', 'anna', 1893456000000, 'of 2030', 2);
INSERT INTO chat_messages (room, seq, id, sender, at, text) VALUES ('berth', 1, 1, 'anna', 1893456000000, X'6d6f6f726564'), ('berth', 2, 2, 'bob', 1893456001000, X'61796521');
