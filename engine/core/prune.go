package core

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// prune removes the images that no deployment on the node could go back to. It
// only tidies up: what goes wrong is logged, and the next operation tries again.
func (e *Engine) prune(ctx context.Context, n engine.Node) {
	held, release, err := e.holdLease(ctx, pruning(n))
	if err == nil {
		defer release()
		err = e.pruneHeld(held, n)
	}
	if err != nil {
		e.log.WarnContext(ctx, "prune images", "node", n.ID, "error", err.Error())
	}
}

// pruneHistory forgets what no rollback could need of a deployment's past. Like
// prune it only tidies up.
func (e *Engine) pruneHistory(ctx context.Context, rec store.DeploymentRecord) {
	if err := e.store.PruneHistory(ctx, rec.ID, rec.ProductID, e.cfg.History); err != nil {
		e.log.WarnContext(ctx, "prune history", "deployment", rec.ID, "error", err.Error())
	}
}

// pruneHeld does not wait for a node that went away: others wait for it to end.
func (e *Engine) pruneHeld(ctx context.Context, n engine.Node) error {
	keep, err := e.imagesToKeep(ctx, n)
	if err != nil {
		return err
	}
	d, err := e.driver(ctx, n)
	if err != nil {
		return err
	}
	return d.Prune(ctx, keep)
}

// pruning is the lease of who prunes the node.
func pruning(n engine.Node) string { return "images of node " + n.ID }

// awaitPruning waits while anybody prunes the node. Who does so after it knows of
// the revision that is in the store before it, and keeps its images; who began
// earlier may be about to remove one that this revision would find on the node.
func (e *Engine) awaitPruning(ctx context.Context, n engine.Node) error {
	_, err := e.store.Lease(ctx, pruning(n))
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, release, err := e.holdLease(ctx, pruning(n))
	if err != nil {
		return err
	}
	release()
	return nil
}

// imagesToKeep are the images of what serves, of what is under way in any
// process, and of the last versions that succeeded, of every deployment.
func (e *Engine) imagesToKeep(ctx context.Context, n engine.Node) ([]string, error) {
	held, err := e.store.ListDeploymentsByNode(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	keep := map[string]bool{}
	for _, image := range e.ingressImages(ctx, n) {
		keep[image] = true
	}
	for _, d := range held {
		revisions, err := e.store.ListRevisionsByDeployment(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range revisionsToKeep(revisions, n.KeepVersions) {
			for _, image := range r.Images {
				keep[image] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keep)), nil
}

// revisionsToKeep picks, from the newest to the oldest, those that run or may
// soon, and those of the newest n versions that once succeeded: repairs and
// changed variables make revisions too, and push no version out.
func revisionsToKeep(revisions []store.Revision, n int) []store.Revision {
	var kept []store.Revision
	versions := map[string]bool{}
	for _, r := range revisions {
		wanted := versions[r.VersionRef] || len(versions) < n
		switch r.Status {
		case engine.RevisionPreparing, engine.RevisionInProgress:
			kept = append(kept, r)
		case engine.RevisionSuccessful, engine.RevisionObsolete, engine.RevisionDowngraded:
			if wanted || r.Status == engine.RevisionSuccessful {
				kept = append(kept, r)
				versions[r.VersionRef] = true
			}
		}
	}
	return kept
}
