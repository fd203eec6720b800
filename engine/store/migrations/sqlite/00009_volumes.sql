-- +goose Up
-- What becomes of each volume of a deployment when it is destroyed, as it was last
-- declared: later versions may drop the volume, and old revisions are forgotten.
CREATE TABLE volumes (
    deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    volume        TEXT NOT NULL,
    on_destroy    TEXT NOT NULL,
    PRIMARY KEY (deployment_id, volume)
);

PRAGMA user_version = 9;
