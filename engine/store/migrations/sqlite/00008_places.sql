-- +goose Up
-- What a node said it really is when it was last used: nodes of one place share
-- its images. '' = not asked yet.
ALTER TABLE nodes ADD COLUMN place TEXT NOT NULL DEFAULT '';

PRAGMA user_version = 8;
