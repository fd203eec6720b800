package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// exists reports an object that somebody has in their records.
func exists(kind engine.Kind, id string) error {
	return &engine.Error{
		Class:  engine.ErrExists,
		Reason: fmt.Sprintf("%s %q exists already", kind, id),
		Hint:   "import it, or choose another name",
	}
}

// unavailable reports that the store's file cannot be used.
func unavailable(reason, hint string, err error) error {
	return &engine.Error{Class: engine.ErrUnavailable, Reason: reason, Hint: hint, Err: err}
}

// mapError turns what the database answered into the engine's errors. It is
// the only place that knows SQLite's codes.
func mapError(ctx context.Context, err error) error {
	var known *engine.Error
	var failed *sqlite.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		// A cancelled statement answers as interrupted; the caller wants to know why.
		return fmt.Errorf("store: %w", ctx.Err())
	case errors.As(err, &failed):
		return mapCode(failed)
	default:
		return fmt.Errorf("store: %w", err)
	}
}

func mapCode(err *sqlite.Error) error {
	switch err.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		return &engine.Error{Class: engine.ErrConflict, Reason: "the change contradicts what the store holds", Hint: "refresh and try again", Err: err}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return unavailable("another process kept the store locked for too long",
			"try again when it has finished; if none runs, a process that hangs holds the file", err)
	case sqlite3.SQLITE_FULL:
		return unavailable("the disk with the store is full; the change was not made", "free some space and try again", err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return corrupt(err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		return unwritable(err)
	case sqlite3.SQLITE_IOERR:
		return unavailable("the disk with the store answered with an error", "check the disk, its free space and quota, and the system's log", err)
	default:
		return fmt.Errorf("store: %w", err)
	}
}

func corrupt(err error) error {
	return unavailable("the store's file is damaged or is no database",
		"put back a copy of slipway.db (the engine leaves slipway.db.backup-<level> beside it before it changes the layout); do not delete the file: the engine would forget everything", err)
}

func unwritable(err error) error {
	return unavailable("the store cannot be opened for writing",
		"give this user read and write access to the data directory and the files in it, or choose another data_dir", err)
}

// mapFile turns what the file system answered into the engine's errors.
func mapFile(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission), strings.Contains(err.Error(), "read-only file system"):
		return unwritable(err)
	default:
		return unavailable(what, "check that data_dir names a directory on a disk with free space", err)
	}
}
