package core

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// prune removes the images that no deployment in the node's place could go back
// to. It only tidies up: what goes wrong is logged, and the next operation tries again.
func (e *Engine) prune(ctx context.Context, n engine.Node) {
	if err := e.tryPrune(ctx, n); err != nil {
		e.log.WarnContext(ctx, "prune images", "node", n.ID, "error", err.Error())
	}
}

func (e *Engine) tryPrune(ctx context.Context, n engine.Node) error {
	place, err := e.store.Place(ctx, n.ID)
	if err != nil {
		return err
	}
	held, release, err := e.holdLease(ctx, pruning(place))
	if err != nil {
		return err
	}
	defer release()
	return e.pruneHeld(held, n, place)
}

// pruneHistory forgets what no rollback could need of a deployment's past. Like
// prune it only tidies up.
func (e *Engine) pruneHistory(ctx context.Context, rec store.DeploymentRecord) {
	if err := e.store.PruneHistory(ctx, rec.ID, rec.ProductID, e.cfg.History); err != nil {
		e.log.WarnContext(ctx, "prune history", "deployment", rec.ID, "error", err.Error())
	}
}

// pruneHeld does not wait for a node that went away: others wait for it to end.
func (e *Engine) pruneHeld(ctx context.Context, n engine.Node, place string) error {
	keep, err := e.imagesToKeep(ctx, place)
	if err != nil {
		return err
	}
	d, err := e.driver(ctx, n)
	if err != nil {
		return err
	}
	return d.Prune(ctx, keep)
}

// pruning is the lease of who prunes a place.
func pruning(place string) string { return "images of " + place }

// awaitPruning waits while anybody prunes the node's place. Who does so after it knows of
// the revision that is in the store before it, and keeps its images; who began
// earlier may be about to remove one that this revision would find on the node.
func (e *Engine) awaitPruning(ctx context.Context, n engine.Node) error {
	place, err := e.store.Place(ctx, n.ID)
	if err != nil {
		return err
	}
	_, err = e.store.Lease(ctx, pruning(place))
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, release, err := e.holdLease(ctx, pruning(place))
	if err != nil {
		return err
	}
	release()
	return nil
}

// imagesToKeep are those that any of the nodes in a place keeps: each may be the
// same machine under another name.
func (e *Engine) imagesToKeep(ctx context.Context, place string) ([]string, error) {
	there, err := e.store.ListNodesByPlace(ctx, place)
	if err != nil {
		return nil, err
	}
	keep := map[string]bool{}
	for _, n := range there {
		if err := e.keepImages(ctx, n, keep); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(keep)), nil
}

// keepImages adds the images of what serves, of what is under way in any
// process, and of the last versions that succeeded, of every deployment on a node.
func (e *Engine) keepImages(ctx context.Context, n engine.Node, keep map[string]bool) error {
	held, err := e.store.ListDeploymentsByNode(ctx, n.ID)
	if err != nil {
		return err
	}
	for _, image := range e.ingressImages(ctx, n) {
		keep[image] = true
	}
	for _, d := range held {
		revisions, err := e.store.ListRevisionsByDeployment(ctx, d.ID)
		if err != nil {
			return err
		}
		for _, r := range revisionsToKeep(revisions, n.KeepVersions) {
			for _, image := range r.Images {
				keep[image] = true
			}
		}
	}
	return nil
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
