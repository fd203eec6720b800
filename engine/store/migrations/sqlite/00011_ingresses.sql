-- +goose Up
-- The proxy that the engine runs as a node's ingress: what serves, with its
-- token sealed. revision counts attempts, so that names of instances are never
-- used twice.
CREATE TABLE ingresses (
    node_id  TEXT NOT NULL PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
    attempt  INTEGER NOT NULL,
    serving  INTEGER NOT NULL,
    config   TEXT NOT NULL,
    token    BLOB NOT NULL
);

PRAGMA user_version = 11;
