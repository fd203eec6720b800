-- +goose Up
-- Old operations are pruned by their age.
CREATE INDEX operations_finished ON operations (finished_at);
-- When a version went out of Terraform, 0 for long ago.
ALTER TABLE versions ADD COLUMN retired_at BIGINT NOT NULL DEFAULT 0;

PRAGMA user_version = 6;
