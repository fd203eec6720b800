package store

import (
	"context"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const selectSnapshots = "SELECT volume, name, revision, attempt, bytes, taken_at, due FROM snapshots WHERE deployment_id = ? ORDER BY attempt, volume, name"

func scanSnapshot(s scanner) (r Snapshot, err error) {
	return r, s.Scan(&r.Volume, &r.Name, &r.Revision, &r.Attempt, &r.Bytes, nanos{&r.TakenAt}, &r.Due)
}

// AddSnapshots records snapshots that are whole; due says that their volumes are to
// be set back to them. One that is known stays as it is. TakenAt is the present when
// it is zero.
func (s Queries) AddSnapshots(ctx context.Context, deploymentID string, due bool, taken ...engine.Snapshot) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		for _, t := range taken {
			if t.TakenAt.IsZero() {
				t.TakenAt = now
			}
			_, err := exec(ctx, q, `INSERT INTO snapshots (deployment_id, volume, name, revision, attempt, bytes, taken_at, due)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (deployment_id, volume, name) DO NOTHING`,
				deploymentID, t.Volume, t.Name, t.Revision, t.Attempt, t.Bytes, nanos{&t.TakenAt}, due)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SettleSnapshots notes that no volume of the deployment is to be set back any more.
func (s Queries) SettleSnapshots(ctx context.Context, deploymentID string) error {
	return s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "UPDATE snapshots SET due = FALSE WHERE deployment_id = ?", deploymentID)
		return err
	})
}

// ListSnapshotsByDeployment reads a deployment's snapshots, oldest first.
func (s Queries) ListSnapshotsByDeployment(ctx context.Context, deploymentID string) ([]Snapshot, error) {
	return all(ctx, s.run.read(), scanSnapshot, selectSnapshots, deploymentID)
}

// KeepSnapshots forgets a deployment's snapshots but those in keep.
func (s Queries) KeepSnapshots(ctx context.Context, deploymentID string, keep []engine.Snapshot) error {
	return s.run.write(ctx, func(q querier) error {
		known, err := all(ctx, q, scanSnapshot, selectSnapshots, deploymentID)
		if err != nil {
			return err
		}
		for _, k := range known {
			stays := slices.ContainsFunc(keep, func(s engine.Snapshot) bool { return s.Volume == k.Volume && s.Name == k.Name })
			if stays {
				continue
			}
			if _, err := exec(ctx, q, "DELETE FROM snapshots WHERE deployment_id = ? AND volume = ? AND name = ?", deploymentID, k.Volume, k.Name); err != nil {
				return err
			}
		}
		return nil
	})
}
