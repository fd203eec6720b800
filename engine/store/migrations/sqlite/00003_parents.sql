-- +goose Up
-- Whether a version's parent was asked for: one that just happened to be the
-- newest may still change while a run creates several versions side by side.
ALTER TABLE versions ADD COLUMN parent_given BOOLEAN NOT NULL DEFAULT TRUE;

PRAGMA user_version = 3;
