-- +goose Up
-- Copies of volumes on the nodes; a volume that is due is to be set back to its
-- snapshot before anything that has it runs again.
CREATE TABLE snapshots (
    deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    volume        TEXT NOT NULL,
    name          TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    bytes         BIGINT NOT NULL,
    taken_at      BIGINT NOT NULL,
    due           BOOLEAN NOT NULL,
    PRIMARY KEY (deployment_id, volume, name)
);
CREATE UNIQUE INDEX snapshots_due ON snapshots (deployment_id, volume) WHERE due;

ALTER TABLE deployments ADD COLUMN keep_snapshots INTEGER NOT NULL DEFAULT 3;

PRAGMA user_version = 7;
