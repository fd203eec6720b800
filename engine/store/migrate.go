package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// newestLevel is that of the last file in migrations/sqlite.
const newestLevel = 11

// migrations are the steps from an empty database to the newest layout.
type migrations struct {
	files  fs.FS
	newest int // level after all of them; each sets PRAGMA user_version to its number
}

func ownMigrations() migrations {
	files, err := fs.Sub(sqliteMigrations, "migrations/sqlite")
	if err != nil {
		panic(err) // the name above is not a path
	}
	return migrations{files: files, newest: newestLevel}
}

// refuseNewer is ErrConflict for a layout that this release does not know.
func (m migrations) refuseNewer(level int) error {
	if level <= m.newest {
		return nil
	}
	return engine.Conflict(
		fmt.Sprintf("the store has layout %d and was written by a newer release; this one knows layouts up to %d. Nothing was changed", level, m.newest),
		"use the newer release of the provider again; a copy from before the change may be beside the store as slipway.db.backup-<level>")
}

// errOutdated: the database must be made or migrated before it is used.
var errOutdated = errors.New("outdated")

// check answers the engine id of a database that is ready for use, or
// errOutdated, or ErrConflict for one that is too new.
func (m migrations) check(ctx context.Context, db *sql.DB) (string, error) {
	level, err := userVersion(ctx, db)
	if err == nil {
		err = m.refuseNewer(level)
	}
	if err != nil {
		return "", err
	}
	mode, err := one(ctx, db, errNoRow, scanString, "PRAGMA journal_mode")
	if err != nil {
		return "", err
	}
	if level < m.newest || mode != "wal" { // a copy put back in place is in another mode
		return "", errOutdated
	}
	return one(ctx, db, errOutdated, scanString, "SELECT id FROM engine")
}

func userVersion(ctx context.Context, q querier) (int, error) {
	return one(ctx, q, errNoRow, scanInt, "PRAGMA user_version")
}

// bringUpToDate makes or migrates the database, one process at a time.
func (m migrations) bringUpToDate(ctx context.Context, path string, now func() time.Time) (err error) {
	if err := prepareFile(path); err != nil {
		return err
	}
	unlock, err := lockMigration(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()

	db, err := connect(path, readWrite, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mapError(ctx, db.Close())) }()

	// Another process may have done it while this one waited.
	level, err := userVersion(ctx, db)
	if err == nil {
		err = m.refuseNewer(level)
	}
	if err != nil {
		return err
	}
	mode, err := one(ctx, db, errNoRow, scanString, "PRAGMA journal_mode = WAL")
	if err != nil {
		return err
	}
	if mode != "wal" {
		return unavailable("the disk with the store lets only one process use it at a time", "choose a data_dir on a local disk", nil)
	}
	if level < m.newest {
		if err := m.migrate(ctx, db, path, level); err != nil {
			return err
		}
	}
	return ensureEngine(ctx, db, now())
}

func (m migrations) migrate(ctx context.Context, db *sql.DB, path string, level int) error {
	if level > 0 {
		if err := backUp(ctx, db, fmt.Sprintf("%s.backup-%d", path, level)); err != nil {
			return err
		}
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, m.files,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("the store could not be brought from layout %d to %d: %w", level, m.newest, mapError(ctx, err))
	}
	return nil
}

// backUp writes a consistent copy that only this user reads. A copy that an
// interrupted migration left is replaced: the migration had not happened yet.
func backUp(ctx context.Context, db *sql.DB, to string) error {
	part := to + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return mapFile("the store cannot be copied before its layout changes", err)
	}
	if err := f.Close(); err != nil {
		return mapFile("the store cannot be copied before its layout changes", err)
	}
	if _, err := exec(ctx, db, "VACUUM INTO ?", part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return mapFile("the store cannot be copied before its layout changes", os.Rename(part, to))
}

// ensureEngine gives a new store its id.
func ensureEngine(ctx context.Context, db *sql.DB, now time.Time) error {
	_, err := exec(ctx, db, "INSERT INTO engine (id, created_at) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM engine)",
		newEngineID(), nanos{&now})
	return err
}

// lockMigration waits until no other process migrates. The lock is that of a
// small database beside the store: it works on every system, and the system
// frees it when its holder dies.
func lockMigration(ctx context.Context, path string) (unlock func(), err error) {
	lock := path + ".lock"
	if err := prepareFile(lock); err != nil {
		return nil, err
	}
	db, err := connect(lock, readWrite, 1)
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(mapError(ctx, err), db.Close())
	}
	return func() { _ = tx.Rollback(); _ = db.Close() }, nil
}
