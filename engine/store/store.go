package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"time"
)

// Store is the open database.
type Store struct {
	Queries

	db       *sql.DB
	engineID string
	alive    func(LeaseOwner) bool
}

// Options of Open; the zero value is what a process wants.
type Options struct {
	Now func() time.Time // the clock, nil = time.Now

	// Alive reports whether the process that holds a lease may still run, nil
	// = what the host tells. False lets others take the lease over.
	Alive func(LeaseOwner) bool
}

// EngineID tells this store from every other: random, made with the store.
func (s *Store) EngineID() string { return s.engineID }

// Close frees the database. Methods that run end first.
func (s *Store) Close() error { return s.db.Close() }

// Tx runs change in one transaction: it is committed when change answers nil,
// else nothing happened. No other write runs meanwhile, so change must be quick
// and do nothing slow beside. It must use tx, never the Store.
func (s *Store) Tx(ctx context.Context, change func(tx *Tx) error) error {
	return s.run.write(ctx, func(q querier) error {
		return change(&Tx{Queries{inTx{tx: q, clock: s.run.now}}})
	})
}

// pool runs every write in a transaction of its own.
type pool struct {
	db    *sql.DB
	clock func() time.Time
	known migrations
	// writing holds one token: the writers of this process queue here, fairly
	// and without polling; those of other processes meet at the file's lock.
	writing chan struct{}
}

func (p *pool) read() querier  { return p.db }
func (p *pool) now() time.Time { return p.clock().UTC() }

func (p *pool) write(ctx context.Context, change func(querier) error) error {
	select {
	case p.writing <- struct{}{}:
		defer func() { <-p.writing }()
	case <-ctx.Done():
		return mapError(ctx, ctx.Err())
	}
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return mapError(ctx, err)
	}
	// A newer release may have changed the layout since the store was opened.
	level, err := userVersion(ctx, tx)
	if err == nil {
		err = p.known.refuseNewer(level)
	}
	if err == nil {
		err = change(tx)
	}
	if err != nil {
		_ = tx.Rollback() // the cause is what matters; an open transaction ends with its connection
		return mapError(ctx, err)
	}
	return mapError(ctx, tx.Commit())
}

// newEngineID is "eng_" and 128 random bits.
func newEngineID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return "eng_" + hex.EncodeToString(id)
}
