-- +goose Up
-- What kind of failure an operation ended with, for programs; "" before.
ALTER TABLE operations ADD COLUMN code TEXT NOT NULL DEFAULT '';
UPDATE operations SET code = 'interrupted' WHERE status = 'interrupted';

PRAGMA user_version = 5;
