package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// The catalog's table of rules decides everywhere; what is here finds out the
// case that it decides on.

// standing is the status of a version as a whole. A revision whose process was
// killed is not in progress any more: the next run finds it failed.
func (e *Engine) standing(ctx context.Context, v store.VersionRecord) (engine.RevisionStatus, error) {
	revisions, err := e.store.Uses(ctx, v.ID)
	if err != nil {
		return "", err
	}
	var all []engine.RevisionStatus
	for _, r := range revisions {
		status, err := e.truly(ctx, r)
		if err != nil {
			return "", err
		}
		all = append(all, status)
	}
	return catalog.Standing(v.Sealed, all), nil
}

// truly is the status of a revision, which is failed when nobody works on it any more.
func (e *Engine) truly(ctx context.Context, r store.Revision) (engine.RevisionStatus, error) {
	if r.Status != engine.RevisionInProgress {
		return r.Status, nil
	}
	held, err := e.store.Held(ctx, leaseOf(r.DeploymentID))
	if err != nil || held {
		return r.Status, err
	}
	return engine.RevisionFailed, nil
}

// mayAdd refuses a slipway_version in a simple product. A product that this
// run makes or changes counts as it will be; of one that nobody knows yet
// nothing is said.
func (e *Engine) mayAdd(ctx context.Context, v engine.Version, in engine.Planned) error {
	product, planned := in.Products[v.ProductID]
	if !planned {
		stored, err := orNil(e.store.Product(ctx, v.ProductID))
		if err != nil || stored == nil {
			return err
		}
		product = *stored
	}
	return catalog.Allow(catalog.Case{Verb: catalog.AddChild, Product: product.Type, Name: v.Name})
}

// PlanDelete implements engine.Service.
func (e *Engine) PlanDelete(ctx context.Context, kind engine.Kind, id string) error {
	var err error
	switch kind {
	case engine.KindDeployment:
		err = e.mayDestroy(ctx, id)
	case engine.KindVersion:
		err = e.mayRemove(ctx, id)
	case engine.KindEnvironment:
		err = e.mayDeleteEnvironment(ctx, id)
	}
	if errors.Is(err, engine.ErrNotFound) {
		return nil // nothing is left to delete
	}
	return err
}

func (e *Engine) mayDestroy(ctx context.Context, id string) error {
	rec, err := e.store.Deployment(ctx, id)
	if err != nil {
		return err
	}
	if err := mayEnd("deployment "+id, rec.DeletionProtection); err != nil {
		return err
	}
	running, err := orNil(e.store.InProgressRevision(ctx, id))
	if err != nil || running == nil {
		return err
	}
	status, err := e.truly(ctx, *running)
	if err != nil {
		return err
	}
	return catalog.Allow(catalog.Case{
		Verb: catalog.Destroy, Status: status, Subject: fmt.Sprintf("revision %d of the deployment %s", running.Number, id),
	})
}

// mayEnd refuses to delete what is protected.
func mayEnd(subject string, protected bool) error {
	c := catalog.Case{Verb: catalog.Destroy, Subject: "the " + subject}
	if protected {
		c.Facts = []catalog.Fact{catalog.IsProtected}
	}
	return catalog.Allow(c)
}

func (e *Engine) mayRemove(ctx context.Context, id string) error {
	v, err := e.store.Version(ctx, id)
	if err != nil {
		return err
	}
	status, err := e.standing(ctx, v)
	if err != nil {
		return err
	}
	return catalog.Allow(catalog.Case{Verb: catalog.Remove, Type: v.Type, Status: status, Name: v.Name})
}

func (e *Engine) mayDeleteEnvironment(ctx context.Context, id string) error {
	env, err := e.store.Environment(ctx, id)
	if err != nil {
		return err
	}
	return mayEnd("environment "+id, env.DeletionProtection)
}
