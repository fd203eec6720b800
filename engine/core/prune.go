package core

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// defaultKeepVersions is how many revisions of a deployment keep their images
// on the node, so that a rollback needs no registry (schema.md).
const defaultKeepVersions = 3

// prune removes the images that no deployment on the node could go back to. It
// only tidies up: what goes wrong is logged, and the next rollout tries again.
func (a *attempt) prune(ctx context.Context) {
	keep, err := a.imagesToKeep(ctx)
	if err == nil {
		err = a.driver.Prune(ctx, keep)
	}
	if err != nil {
		a.log.WarnContext(ctx, "prune images", "node", a.world.node.ID, "error", err.Error())
	}
}

// imagesToKeep are the images of what serves, of what is under way in any
// process, and of the last revisions that succeeded, of every deployment.
func (a *attempt) imagesToKeep(ctx context.Context) ([]string, error) {
	held, err := a.store.ListDeploymentsByNode(ctx, a.world.node.ID)
	if err != nil {
		return nil, err
	}
	var keep []string
	for _, d := range held {
		revisions, err := a.store.ListRevisionsByDeployment(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range revisionsToKeep(revisions, a.world.node.KeepVersions) {
			for _, image := range r.Images {
				keep = append(keep, image)
			}
		}
	}
	return keep, nil
}

// revisionsToKeep picks, from the newest to the oldest, those that run or may
// soon, and the newest n that once succeeded.
func revisionsToKeep(revisions []store.Revision, n int) []store.Revision {
	if n <= 0 {
		n = defaultKeepVersions
	}
	var kept []store.Revision
	succeeded := 0
	for _, r := range revisions {
		switch r.Status {
		case engine.RevisionPreparing, engine.RevisionInProgress, engine.RevisionSuccessful:
			kept = append(kept, r)
			succeeded++
		case engine.RevisionObsolete, engine.RevisionDowngraded:
			if succeeded < n {
				kept = append(kept, r)
			}
			succeeded++
		}
	}
	return kept
}
