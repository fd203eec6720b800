package store

import (
	"context"
	"time"
)

// PinImage remembers for ttl what a reference was resolved to in a run, and
// forgets what has expired. A second pin of the same reference wins.
func (s Queries) PinImage(ctx context.Context, p Pin, ttl time.Duration) error {
	now := s.run.now()
	expires := now.Add(ttl)
	return s.run.write(ctx, func(q querier) error {
		if _, err := exec(ctx, q, "DELETE FROM pins WHERE expires_at <= ?", nanos{&now}); err != nil {
			return err
		}
		_, err := exec(ctx, q, `INSERT INTO pins (run, version_id, component, reference, digest, expires_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (run, version_id, component, reference) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at`,
			p.Run, p.VersionID, p.Component, p.Reference, p.Digest, nanos{&expires})
		return err
	})
}

// PinnedImage is the digest that the reference was pinned to in the run, ""
// when there is none that has not expired.
func (s Queries) PinnedImage(ctx context.Context, run, versionID, component, reference string) (string, error) {
	now := s.run.now()
	found, err := all(ctx, s.run.read(), scanString,
		"SELECT digest FROM pins WHERE run = ? AND version_id = ? AND component = ? AND reference = ? AND expires_at > ?",
		run, versionID, component, reference, nanos{&now})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}
