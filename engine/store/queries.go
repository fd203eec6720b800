package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Queries are all the methods on the objects of the store. Store runs each
// write in a transaction of its own, Tx all of them in one.
type Queries struct{ run runner }

// Tx is one transaction: everything happens or nothing does. After a method
// answered an error the function must return one.
type Tx struct{ Queries }

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// runner gives queries something to run on.
type runner interface {
	read() querier
	write(ctx context.Context, change func(querier) error) error
	now() time.Time
}

// inTx runs everything in one transaction that somebody else ends.
type inTx struct {
	tx    querier
	clock func() time.Time
}

func (r inTx) read() querier                                             { return r.tx }
func (r inTx) write(_ context.Context, change func(querier) error) error { return change(r.tx) }
func (r inTx) now() time.Time                                            { return r.clock() }

type scanner interface{ Scan(dest ...any) error }

// all reads every row.
func all[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, mapError(ctx, err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, mapError(ctx, err)
		}
		list = append(list, one)
	}
	return list, mapError(ctx, rows.Err())
}

// errNoRow is answered by one when there is none.
var errNoRow = errors.New("no row")

// one reads the only row, or answers missing.
func one[T any](ctx context.Context, q querier, missing error, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	list, err := all(ctx, q, scan, query, args...)
	if err != nil || len(list) == 0 {
		var none T
		if err == nil {
			err = missing
		}
		return none, err
	}
	return list[0], nil
}

// exec changes rows and tells how many.
func exec(ctx context.Context, q querier, query string, args ...any) (int64, error) {
	result, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, mapError(ctx, err)
	}
	n, err := result.RowsAffected()
	return n, mapError(ctx, err)
}

func scanString(s scanner) (string, error) {
	var v string
	err := s.Scan(&v)
	return v, err
}

func scanInt(s scanner) (int, error) {
	var v int
	err := s.Scan(&v)
	return v, err
}
