-- +goose Up
-- What a node offers routes.
ALTER TABLE nodes ADD COLUMN ingress TEXT NOT NULL DEFAULT 'null';

-- What each deployment has in its node's ingress; the store does not look inside.
CREATE TABLE ingress_parts (
    deployment_id TEXT NOT NULL PRIMARY KEY REFERENCES deployments (id) ON DELETE CASCADE,
    part          TEXT NOT NULL
);

-- The places that the routes of a node's deployments have; each has one owner.
CREATE TABLE ingress_claims (
    node_id       TEXT NOT NULL REFERENCES nodes (id),
    place         TEXT NOT NULL,
    deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    component     TEXT NOT NULL,
    route         TEXT NOT NULL,
    PRIMARY KEY (node_id, place)
);
CREATE INDEX ingress_claims_deployment ON ingress_claims (deployment_id);

PRAGMA user_version = 10;
