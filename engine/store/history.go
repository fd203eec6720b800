package store

import (
	"context"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// PruneHistory forgets what of a deployment's past is not kept: revisions,
// operations with their steps, and versions of its product that were retired long
// ago and that no revision refers to any more.
func (s Queries) PruneHistory(ctx context.Context, deploymentID, productID string, keep catalog.History) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		if err := pruneRevisions(ctx, q, deploymentID, keep); err != nil {
			return err
		}
		if err := pruneOperations(ctx, q, deploymentID, keep.Operations, now.Add(-keep.OperationsFor)); err != nil {
			return err
		}
		return pruneVersions(ctx, q, productID, now.Add(-keep.RetiredFor))
	})
}

func pruneRevisions(ctx context.Context, q querier, deploymentID string, keep catalog.History) error {
	past, err := all(ctx, q, func(s scanner) (p catalog.Past, err error) {
		return p, s.Scan(&p.Number, &p.Status, &p.VersionRef, &p.Retired)
	}, `SELECT r.number, r.status, r.version_ref, v.retired FROM revisions r JOIN versions v ON v.id = r.version_id
		WHERE r.deployment_id = ? ORDER BY r.number DESC`, deploymentID)
	if err != nil {
		return err
	}
	for _, number := range keep.Expendable(past) {
		// A snapshot leads nowhere without the revisions it is of and was taken by.
		const unneeded = `DELETE FROM revisions WHERE deployment_id = ? AND number = ? AND NOT EXISTS (SELECT 1 FROM snapshots s
			WHERE s.deployment_id = revisions.deployment_id AND revisions.number IN (s.revision, s.attempt))`
		if _, err := exec(ctx, q, unneeded, deploymentID, number); err != nil {
			return err
		}
	}
	return nil
}

// pruneOperations keeps those that run, and those that a revision names.
func pruneOperations(ctx context.Context, q querier, deploymentID string, keep int, before time.Time) error {
	const unneeded = `DELETE FROM operations WHERE status <> 'running' AND NOT EXISTS (SELECT 1 FROM revisions r
		WHERE r.deployment_id = operations.deployment_id AND r.operation_id = operations.id) AND `
	_, err := exec(ctx, q, unneeded+"deployment_id = ? AND id NOT IN (SELECT id FROM operations WHERE deployment_id = ? ORDER BY id DESC LIMIT ?)",
		deploymentID, deploymentID, keep)
	if err == nil {
		_, err = exec(ctx, q, unneeded+"finished_at > 0 AND finished_at < ?", nanos{&before})
	}
	return err
}

// pruneVersions deletes those that were never sealed and have no child. Of a
// sealed one it takes the content alone: its name, its place, its digest and
// those of its images stay for ever, so that it comes back as the very same or
// not at all.
func pruneVersions(ctx context.Context, q querier, productID string, before time.Time) error {
	const orphaned = " product_id = ? AND retired AND retired_at < ? AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.version_id = versions.id)"
	_, err := exec(ctx, q, "DELETE FROM versions WHERE NOT sealed AND NOT EXISTS (SELECT 1 FROM versions c WHERE c.parent_id = versions.id) AND"+orphaned,
		productID, nanos{&before})
	if err == nil {
		_, err = exec(ctx, q, "UPDATE versions SET components = 'null' WHERE sealed AND components <> 'null' AND"+orphaned, productID, nanos{&before})
	}
	return err
}

// Pruned reports whether only the name and the digests of a version are left.
func (v VersionRecord) Pruned() bool { return v.Sealed && len(v.Components) == 0 }

// Content is the version, ErrNotFound when only its name is left.
func (v VersionRecord) Content() (engine.Version, error) {
	if v.Pruned() {
		return engine.Version{}, &engine.Error{
			Class: engine.ErrNotFound, Field: "version",
			Reason: "the content of version " + v.ID + " was pruned: it is out of Terraform, and no revision refers to it any more",
			Hint:   "declare a slipway_version of that name with the same content: it comes back with the same image digests",
		}
	}
	return v.Version, nil
}
