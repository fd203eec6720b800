-- +goose Up
-- Times are nanoseconds since 1970 UTC, 0 for none. Columns that hold nested
-- parts are JSON in TEXT. user_version is kept in step with the migration, in
-- the same transaction: it is what a process looks at first.

CREATE TABLE engine (
    id         TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE teams (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    confirmed   BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE nodes (
    id            TEXT PRIMARY KEY,
    team_id       TEXT NOT NULL REFERENCES teams (id) ON DELETE RESTRICT,
    name          TEXT NOT NULL,
    description   TEXT NOT NULL,
    labels        TEXT NOT NULL,
    allocation    TEXT NOT NULL,
    kind          TEXT NOT NULL,
    local         TEXT NOT NULL,
    keep_versions INTEGER NOT NULL,
    created_at    BIGINT NOT NULL,
    confirmed     BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (team_id, name)
);

CREATE TABLE registries (
    id             TEXT PRIMARY KEY,
    team_id        TEXT NOT NULL REFERENCES teams (id) ON DELETE RESTRICT,
    name           TEXT NOT NULL,
    url            TEXT NOT NULL,
    username       TEXT NOT NULL,
    ca_certificate TEXT NOT NULL,
    password_version INTEGER,
    created_at     BIGINT NOT NULL,
    confirmed      BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (team_id, name)
);

CREATE TABLE products (
    id          TEXT PRIMARY KEY,
    team_id     TEXT NOT NULL REFERENCES teams (id) ON DELETE RESTRICT,
    name        TEXT NOT NULL,
    type        TEXT NOT NULL,
    description TEXT NOT NULL,
    labels      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    confirmed   BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (team_id, name)
);

CREATE TABLE versions (
    id         TEXT PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id) ON DELETE RESTRICT,
    name       TEXT NOT NULL,
    type       TEXT NOT NULL,
    -- NULL for the first of a chain and for rolling versions; a parent has one child.
    parent_id  TEXT UNIQUE REFERENCES versions (id) ON DELETE RESTRICT,
    changelog  TEXT NOT NULL,
    status     TEXT NOT NULL,
    components TEXT NOT NULL,
    images     TEXT NOT NULL,
    number     INTEGER NOT NULL CHECK (number >= 0),
    digest     TEXT NOT NULL,
    sealed     BOOLEAN NOT NULL DEFAULT FALSE,
    retired    BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    confirmed  BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (product_id, name)
);
CREATE UNIQUE INDEX versions_number ON versions (product_id, number) WHERE number > 0;
CREATE UNIQUE INDEX versions_preferred ON versions (product_id) WHERE status = 'preferred' AND NOT retired;

CREATE TABLE environments (
    id                  TEXT PRIMARY KEY,
    team_id             TEXT NOT NULL REFERENCES teams (id) ON DELETE RESTRICT,
    name                TEXT NOT NULL,
    node_id             TEXT NOT NULL REFERENCES nodes (id) ON DELETE RESTRICT,
    type                TEXT NOT NULL,
    description         TEXT NOT NULL,
    variables           TEXT NOT NULL,
    promotes_from_id    TEXT NOT NULL,
    min_soak            TEXT NOT NULL,
    deletion_protection BOOLEAN NOT NULL,
    secrets_version     INTEGER,
    created_at          BIGINT NOT NULL,
    confirmed           BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (team_id, name)
);
CREATE INDEX environments_node ON environments (node_id);

CREATE TABLE deployments (
    id                  TEXT PRIMARY KEY,
    environment_id      TEXT NOT NULL REFERENCES environments (id) ON DELETE RESTRICT,
    node_id             TEXT NOT NULL REFERENCES nodes (id) ON DELETE RESTRICT,
    product_id          TEXT NOT NULL REFERENCES products (id) ON DELETE RESTRICT,
    prefix              TEXT NOT NULL,
    version             TEXT NOT NULL,
    version_id          TEXT NOT NULL,
    desired_state       TEXT NOT NULL,
    variables           TEXT NOT NULL,
    components          TEXT NOT NULL,
    strategy            TEXT NOT NULL,
    restore_data        BOOLEAN NOT NULL,
    restart_trigger     TEXT NOT NULL,
    deletion_protection BOOLEAN NOT NULL,
    secrets_version     INTEGER,
    serving_revision    INTEGER NOT NULL DEFAULT 0,
    held                BOOLEAN NOT NULL DEFAULT TRUE,
    created_at          BIGINT NOT NULL,
    confirmed           BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (environment_id, prefix)
);
CREATE UNIQUE INDEX deployments_prefix ON deployments (node_id, prefix) WHERE held;
CREATE INDEX deployments_product ON deployments (product_id);

CREATE TABLE revisions (
    deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    number        INTEGER NOT NULL CHECK (number > 0),
    status        TEXT NOT NULL CHECK (status IN ('preparing', 'in_progress', 'successful', 'failed', 'obsolete', 'downgraded')),
    version_id    TEXT NOT NULL REFERENCES versions (id) ON DELETE RESTRICT,
    version_ref   TEXT NOT NULL,
    version       TEXT NOT NULL,
    version_name  TEXT NOT NULL,
    cause         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    finished_at   BIGINT NOT NULL,
    operation_id  TEXT NOT NULL,
    images        TEXT NOT NULL,
    changes       TEXT NOT NULL,
    config        BLOB,
    PRIMARY KEY (deployment_id, number)
);
CREATE UNIQUE INDEX revisions_successful ON revisions (deployment_id) WHERE status = 'successful';
CREATE UNIQUE INDEX revisions_in_progress ON revisions (deployment_id) WHERE status = 'in_progress';
CREATE INDEX revisions_version ON revisions (version_id);

-- Operations outlive the deployment that they tell of.
CREATE TABLE operations (
    id            TEXT PRIMARY KEY,
    deployment_id TEXT NOT NULL,
    kind          TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted')),
    owner         TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    finished_at   BIGINT NOT NULL,
    error         TEXT NOT NULL
);
CREATE INDEX operations_deployment ON operations (deployment_id, id);

CREATE TABLE operation_steps (
    operation_id TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    seq          INTEGER NOT NULL,
    name         TEXT NOT NULL,
    component    TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('started', 'done', 'failed')),
    attempt      INTEGER NOT NULL,
    started_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    detail       TEXT NOT NULL,
    PRIMARY KEY (operation_id, seq),
    UNIQUE (operation_id, name, component)
);

CREATE TABLE leases (
    key         TEXT PRIMARY KEY,
    owner       TEXT NOT NULL,
    process     TEXT NOT NULL,
    acquired_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE TABLE pins (
    run        TEXT NOT NULL,
    version_id TEXT NOT NULL,
    component  TEXT NOT NULL,
    reference  TEXT NOT NULL,
    digest     TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (run, version_id, component, reference)
);

CREATE TABLE secrets (
    owner_kind TEXT NOT NULL,
    owner_id   TEXT NOT NULL,
    name       TEXT NOT NULL,
    cipher     BLOB NOT NULL,
    hash       TEXT NOT NULL,
    PRIMARY KEY (owner_kind, owner_id, name)
);

PRAGMA user_version = 1;
