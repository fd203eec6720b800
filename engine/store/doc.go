// Package store is the engine's database: what should be, what was tried, and
// who works on what at this moment. What runs is the node's to tell.
//
// It is one SQLite file that many short-lived processes open at the same time.
// Writes are immediate transactions, one at a time; a write is on disk when its
// method returns. Every method is safe for concurrent use and honours its
// context.
//
// Errors are *engine.Error: ErrNotFound, ErrExists, ErrConflict (in use, sealed,
// taken), ErrBusy (a lease is held), ErrInvalid (a parent that does not exist)
// and ErrUnavailable (the file cannot be used).
package store
