-- +goose Up
-- What ran where, and for how long: what may be promoted from there. It outlives
-- the deployment and the revisions that it tells of.
CREATE TABLE served (
    environment_id TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    deployment_id  TEXT NOT NULL,
    version_ref    TEXT NOT NULL,
    images         TEXT NOT NULL,
    soaked         BIGINT NOT NULL, -- nanoseconds, without the time that still goes on
    since          BIGINT NOT NULL, -- when that began, 0 when it does not serve now
    PRIMARY KEY (environment_id, version_ref, deployment_id, images)
);
CREATE INDEX served_now ON served (deployment_id) WHERE since > 0;

INSERT INTO served (environment_id, deployment_id, version_ref, images, soaked, since)
SELECT d.environment_id, d.id, r.version_ref, r.images, 0, MAX(CASE WHEN r.status = 'successful' THEN r.finished_at ELSE 0 END)
FROM revisions r JOIN deployments d ON d.id = r.deployment_id
WHERE r.status IN ('successful', 'obsolete', 'downgraded')
GROUP BY d.environment_id, d.id, r.version_ref, r.images;

PRAGMA user_version = 4;
