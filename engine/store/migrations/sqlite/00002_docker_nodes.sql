-- +goose Up
-- How a Docker node is reached, without its keys: those are in secrets.
ALTER TABLE nodes ADD COLUMN docker TEXT NOT NULL DEFAULT 'null';

PRAGMA user_version = 2;
