package store

import (
	"context"
	"errors"
	"path/filepath"
	"time"
)

// FileName is the name of the database in the data directory.
const FileName = "slipway.db"

// maxConnections keeps a process small: one writer and a few readers.
const maxConnections = 4

// Open opens the database at path, and makes it and its directory when they are
// not there. Any number of processes may do so at the same time.
//
// A database that a newer release has changed is ErrConflict and stays
// untouched; an older one is copied to slipway.db.backup-<level> and brought up
// to date. A file that cannot be used is ErrUnavailable.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	return open(ctx, path, opts, ownMigrations())
}

func open(ctx context.Context, path string, opts Options, known migrations) (*Store, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Alive == nil {
		opts.Alive = ownerAlive
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, mapFile("the store's path cannot be told", err)
	}
	ready, err := known.ready(ctx, path)
	if err != nil {
		return nil, err
	}
	if ready {
		s, err := openPool(ctx, path, opts, known)
		if !errors.Is(err, errOutdated) {
			return s, err
		}
	}
	if err := known.bringUpToDate(ctx, path, opts.Now); err != nil {
		return nil, err
	}
	s, err := openPool(ctx, path, opts, known)
	if errors.Is(err, errOutdated) {
		err = unavailable("the store is not usable after it was made", "choose a data_dir on a local disk", err)
	}
	return s, err
}

// ready reports whether the file needs neither making nor migrating, as far as
// can be told without touching it. What is in the log beside the file counts
// too, and a connection that may write would fold it in when it closes: so
// this one only reads.
func (m migrations) ready(ctx context.Context, path string) (bool, error) {
	size, err := fileSize(path)
	if err != nil || size == 0 {
		return false, err
	}
	if logged, err := fileSize(path + "-wal"); err != nil || logged == 0 {
		return true, err // nothing to fold in: openPool looks for itself
	}
	db, err := connect(path, readOnly, 1)
	if err != nil {
		return false, err
	}
	defer db.Close()
	level, err := userVersion(ctx, db)
	if err != nil {
		return true, nil // openPool meets the same and tells it
	}
	return true, m.refuseNewer(level)
}

// openPool opens a database, or answers errOutdated.
func openPool(ctx context.Context, path string, opts Options, known migrations) (*Store, error) {
	db, err := connect(path, readWrite, maxConnections)
	if err != nil {
		return nil, err
	}
	id, err := known.check(ctx, db)
	if err != nil {
		_ = db.Close() // the cause is what matters
		return nil, err
	}
	s := &Store{db: db, engineID: id, alive: opts.Alive}
	s.run = &pool{db: db, clock: opts.Now, known: known, writing: make(chan struct{}, 1)}
	return s, nil
}
