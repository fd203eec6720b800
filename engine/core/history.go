package core

import (
	"context"
	"errors"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// Versions implements engine.Service.
func (e *Engine) Versions(ctx context.Context, f engine.VersionFilter) ([]engine.Version, error) {
	if _, err := e.store.Product(ctx, f.ProductID); err != nil {
		return nil, err
	}
	records, err := e.store.ListVersionsByProduct(ctx, f.ProductID)
	if err != nil {
		return nil, err
	}
	var all []engine.Version
	for _, r := range records {
		if !r.Retired {
			all = append(all, r.Version)
		}
	}
	return catalog.SelectVersions(all, f)
}

// VersionDiff implements engine.Service.
func (e *Engine) VersionDiff(ctx context.Context, from, to string) ([]engine.Difference, error) {
	before, err := e.compared(ctx, "from", from)
	if err != nil {
		return nil, err
	}
	after, err := e.compared(ctx, "to", to)
	if err != nil {
		return nil, err
	}
	return catalog.Differences(before, after), nil
}

// compared is versionOf, for another field than a deployment's.
func (e *Engine) compared(ctx context.Context, field, ref string) (engine.Version, error) {
	v, err := e.versionOf(ctx, ref)
	var refused *engine.Error
	if errors.As(err, &refused) {
		moved := *refused
		moved.Field = field
		return v, &moved
	}
	return v, err
}

// Revisions implements engine.Service.
func (e *Engine) Revisions(ctx context.Context, deploymentID string) ([]engine.Revision, error) {
	if _, err := e.store.Deployment(ctx, deploymentID); err != nil {
		return nil, err
	}
	records, err := e.store.ListRevisionsByDeployment(ctx, deploymentID)
	if err != nil {
		return nil, err
	}
	snapshots, err := e.store.ListSnapshotsByDeployment(ctx, deploymentID)
	if err != nil {
		return nil, err
	}
	all := make([]engine.Revision, 0, len(records))
	for _, r := range records {
		for _, s := range snapshots {
			if s.Revision == r.Number {
				r.Snapshots = append(r.Snapshots, s.Snapshot)
			}
		}
		all = append(all, r.Revision)
	}
	return all, nil
}

// Operations implements engine.Service.
func (e *Engine) Operations(ctx context.Context, f engine.OperationFilter) ([]engine.Operation, error) {
	all, err := e.store.ListOperations(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range all {
		whole, err := e.store.Operation(ctx, all[i].ID)
		if err != nil {
			return nil, err
		}
		all[i] = whole
	}
	return all, nil
}
