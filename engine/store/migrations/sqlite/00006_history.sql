-- +goose Up
-- Old operations are pruned by their age.
CREATE INDEX operations_finished ON operations (finished_at);

PRAGMA user_version = 6;
