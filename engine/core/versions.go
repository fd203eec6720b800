package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// PlanVersion implements engine.Service.
func (e *Engine) PlanVersion(ctx context.Context, v engine.Version, in engine.Planned) (engine.VersionPlan, error) {
	v.ID = engine.JoinID(v.ProductID, v.Name)
	if err := e.mayAdd(ctx, v, in); err != nil {
		return engine.VersionPlan{}, err
	}
	return e.planContent(ctx, v, in)
}

func (e *Engine) planContent(ctx context.Context, v engine.Version, in engine.Planned) (engine.VersionPlan, error) {
	placed, stored, err := e.placed(ctx, v, in.Versions)
	if err != nil {
		return engine.VersionPlan{}, err
	}
	known := v.Images
	if stored != nil {
		known = stored.Images
	}
	pins, err := e.resolveAll(ctx, placed.Ref, engine.ParentID(v.ProductID), v.Components, known, in.Registries)
	if err != nil {
		return engine.VersionPlan{}, err
	}
	p := engine.VersionPlan{Digest: placed.Digest, Ref: placed.Ref, ParentID: placed.ParentID, Number: placed.Number, Images: pins}
	if stored != nil || placed.ParentID == "" {
		return p, nil
	}
	parent, err := orNil(e.store.Version(ctx, placed.ParentID))
	if parent != nil && mayMove(*parent) {
		p.Number = 0
	}
	return p, err
}

// CreateVersion implements engine.Service. A name that exists retired with the
// same content comes back, with the same digests: a git revert is a rollback.
func (e *Engine) CreateVersion(ctx context.Context, v engine.Version) (engine.Version, error) {
	v.ID = engine.JoinID(v.ProductID, v.Name)
	product, err := e.store.Product(ctx, v.ProductID)
	if err != nil {
		return engine.Version{}, err
	}
	if err := catalog.Allow(catalog.Case{Verb: catalog.AddChild, Product: product.Type, Name: v.Name}); err != nil {
		return engine.Version{}, err
	}
	placed, stored, err := e.placed(ctx, v, nil)
	if err != nil {
		return engine.Version{}, err
	}
	known := v.Images
	if stored != nil { // also where it is not retired yet: it may be when it is written
		known = stored.Images
		if !stored.Sealed {
			known = mergePins(stored.Images, v.Images)
		}
	}
	if placed.Images, err = e.resolveOrWait(ctx, placed.Ref, product.TeamID, v.Components, known, imagesIn(stored)); err != nil {
		return engine.Version{}, err
	}
	return e.createVersion(ctx, placed, v.ParentID != "")
}

// UpdateVersion implements engine.Service.
func (e *Engine) UpdateVersion(ctx context.Context, v engine.Version) (engine.Version, error) {
	if err := e.mayAdd(ctx, v, engine.Planned{}); err != nil {
		return engine.Version{}, err
	}
	placed, stored, err := e.placed(ctx, v, nil)
	if err != nil {
		return engine.Version{}, err
	}
	if stored == nil || stored.Retired {
		return engine.Version{}, engine.NotFound("version", v.ID)
	}
	known := mergePins(stored.Images, v.Images)
	if placed.Images, err = e.resolveOrWait(ctx, placed.Ref, engine.ParentID(v.ProductID), v.Components, known, stored.Images); err != nil {
		return engine.Version{}, err
	}
	return e.writeVersion(ctx, placed, store.Queries.UpdateVersion)
}

func imagesIn(v *store.VersionRecord) map[string]string {
	if v == nil {
		return nil
	}
	return v.Images
}

// mergePins lets what a plan promised win over what was stored.
func mergePins(stored, planned map[string]string) map[string]string {
	all := map[string]string{}
	for name, pin := range stored {
		all[name] = pin
	}
	for name, pin := range planned {
		all[name] = pin
	}
	return all
}

// Version implements engine.Service.
func (e *Engine) Version(ctx context.Context, id string) (engine.Version, error) {
	stored, err := e.store.Version(ctx, id)
	if err != nil {
		return engine.Version{}, err
	}
	if stored.Retired {
		return engine.Version{}, engine.NotFound("version", id)
	}
	return stored.Version, nil
}

// DeleteVersion implements engine.Service: a version that a revision refers to
// is retired, not deleted, so that a rollback always finds it.
func (e *Engine) DeleteVersion(ctx context.Context, id string) error {
	if err := e.mayRemove(ctx, id); err != nil {
		return err
	}
	_, err := e.store.DeleteVersion(ctx, id)
	return err
}

// orNil turns not-found into nothing.
func orNil[T any](v T, err error) (*T, error) {
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &v, nil
}

func existsError(kind, id string) error {
	return &engine.Error{
		Class:  engine.ErrExists,
		Reason: fmt.Sprintf("the %s %s already exists", kind, id),
		Hint:   fmt.Sprintf("import it (its id is %s), read it with the slipway_%s data source, or use another name", id, kind),
	}
}
