package store

import (
	"context"
	"fmt"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func scanLease(s scanner) (l Lease, err error) {
	return l, s.Scan(&l.Key, jsonColumn{&l.Owner}, nanos{&l.Acquired}, nanos{&l.Expires})
}

const selectLease = "SELECT key, process, acquired_at, expires_at FROM leases WHERE key = ?"

// AcquireLease takes the key for ttl. A lease that another owner holds is
// ErrBusy, naming it; one that has expired, or whose process on this host is
// gone, is taken over. The owner's own lease is renewed.
func (s *Store) AcquireLease(ctx context.Context, key string, owner LeaseOwner, ttl time.Duration) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		held, err := all(ctx, q, scanLease, selectLease, key)
		if err != nil {
			return err
		}
		lease := Lease{Key: key, Owner: owner, Acquired: now, Expires: now.Add(ttl)}
		if len(held) > 0 {
			if held[0].Owner.ID == owner.ID {
				lease.Acquired = held[0].Acquired
			} else if now.Before(held[0].Expires) && s.alive(held[0].Owner) {
				return busy(held[0])
			}
		}
		_, err = exec(ctx, q, `INSERT INTO leases (key, owner, process, acquired_at, expires_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, process = excluded.process,
			acquired_at = excluded.acquired_at, expires_at = excluded.expires_at`,
			key, owner.ID, jsonColumn{owner}, nanos{&lease.Acquired}, nanos{&lease.Expires})
		return err
	})
}

// RenewLease extends the owner's lease to ttl from now. A lease that is not the
// owner's any more is ErrBusy when another holds it, else ErrConflict: what it
// protected must stop.
func (s *Store) RenewLease(ctx context.Context, key string, owner LeaseOwner, ttl time.Duration) error {
	expires := s.run.now().Add(ttl)
	return s.run.write(ctx, func(q querier) error {
		n, err := exec(ctx, q, "UPDATE leases SET expires_at = ? WHERE key = ? AND owner = ?", nanos{&expires}, key, owner.ID)
		if err != nil || n > 0 {
			return err
		}
		held, err := all(ctx, q, scanLease, selectLease, key)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			return busy(held[0])
		}
		return engine.Conflict(fmt.Sprintf("the lease on %q was given up", key), "run again")
	})
}

// ReleaseLease gives the owner's lease up; one that is not the owner's is left alone.
func (s *Store) ReleaseLease(ctx context.Context, key string, owner LeaseOwner) error {
	return s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "DELETE FROM leases WHERE key = ? AND owner = ?", key, owner.ID)
		return err
	})
}

// Lease reads who holds the key, ErrNotFound when nobody does. It may have
// expired, or its owner be gone.
func (s *Store) Lease(ctx context.Context, key string) (Lease, error) {
	return one(ctx, s.run.read(), engine.NotFound("lease", key), scanLease, selectLease, key)
}

// Held reports whether somebody who still runs holds the key.
func (s *Store) Held(ctx context.Context, key string) (bool, error) {
	now := s.run.now()
	held, err := all(ctx, s.run.read(), scanLease, selectLease, key)
	return err == nil && len(held) > 0 && now.Before(held[0].Expires) && s.alive(held[0].Owner), err
}

func busy(l Lease) error {
	return &engine.Error{
		Class: engine.ErrBusy,
		Reason: fmt.Sprintf("%s is being worked on by process %d on host %q since %s",
			l.Key, l.Owner.PID, l.Owner.Host, l.Acquired.Format(time.RFC3339)),
		Hint: fmt.Sprintf("wait for it to finish; if it hangs, end it: its claim lapses by itself at %s", l.Expires.Format(time.RFC3339)),
	}
}
