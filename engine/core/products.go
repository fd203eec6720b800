package core

import (
	"context"
	"errors"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// rollingVersion is the only version of a simple product.
func rollingVersion(p engine.Product) engine.Version {
	return engine.Version{
		ID: engine.JoinID(p.ID, engine.RollingVersionName), ProductID: p.ID,
		Name: engine.RollingVersionName, Type: engine.VersionRolling, Status: engine.VersionActive,
		Components: p.Components, Images: p.Images,
	}
}

// PlanProduct implements engine.Service.
func (e *Engine) PlanProduct(ctx context.Context, p engine.Product, in engine.Planned) (engine.VersionPlan, error) {
	p.ID = engine.JoinID(p.TeamID, p.Name)
	if err := e.checkProduct(ctx, p); err != nil {
		return engine.VersionPlan{}, err
	}
	if p.Type != engine.ProductSimple {
		return engine.VersionPlan{}, nil
	}
	return e.planContent(ctx, rollingVersion(p), in)
}

// CreateProduct implements engine.Service; a simple product comes with its version.
func (e *Engine) CreateProduct(ctx context.Context, p engine.Product) (engine.Product, error) {
	p.ID = engine.JoinID(p.TeamID, p.Name)
	return e.writeProduct(ctx, p, store.Queries.CreateProduct)
}

// UpdateProduct implements engine.Service.
func (e *Engine) UpdateProduct(ctx context.Context, p engine.Product) (engine.Product, error) {
	return e.writeProduct(ctx, p, store.Queries.UpdateProduct)
}

// Product implements engine.Service.
func (e *Engine) Product(ctx context.Context, id string) (engine.Product, error) {
	p, err := e.store.Product(ctx, id)
	if err != nil || p.Type != engine.ProductSimple {
		return p, err
	}
	v, err := e.store.Version(ctx, rollingVersion(p).ID)
	p.Components, p.Images, p.Ref = v.Components, v.Images, v.Ref
	return p, err
}

// DeleteProduct implements engine.Service: the versions that only revisions of
// the past remember go with it.
func (e *Engine) DeleteProduct(ctx context.Context, id string) error {
	return e.store.DeleteProduct(ctx, id)
}

// checkProduct applies the catalog's rules, also against what is stored.
func (e *Engine) checkProduct(ctx context.Context, p engine.Product) error {
	if err := catalog.ValidateProduct(p); err != nil {
		return err
	}
	stored, err := orNil(e.store.Product(ctx, p.ID))
	if err != nil || stored == nil {
		return err
	}
	return catalog.AllowProductChange(*stored, p)
}

func (e *Engine) writeProduct(ctx context.Context, p engine.Product, write func(store.Queries, context.Context, engine.Product) (engine.Product, error)) (engine.Product, error) {
	if err := e.checkProduct(ctx, p); err != nil {
		return engine.Product{}, err
	}
	if p.Type != engine.ProductSimple {
		return e.writeComplex(ctx, p, write)
	}
	v, stored, err := e.placed(ctx, rollingVersion(p), nil)
	if err != nil {
		return engine.Product{}, err
	}
	known := p.Images
	if stored != nil {
		known = mergePins(stored.Images, p.Images)
	}
	if v.Images, err = e.resolveOrWait(ctx, v.Ref, p.TeamID, p.Components, known, imagesIn(stored)); err != nil {
		return engine.Product{}, err
	}
	err = e.store.Tx(ctx, func(tx *store.Tx) error {
		written, err := write(tx.Queries, ctx, p)
		if err != nil {
			return err
		}
		_, err = tx.UpdateVersion(ctx, v)
		if errors.Is(err, engine.ErrNotFound) {
			_, err = tx.CreateVersion(ctx, v)
		}
		written.Components, written.Images, written.Ref = p.Components, v.Images, v.Ref
		p = written
		return err
	})
	return p, err
}

// writeComplex stores a product that has no components of its own. One that was
// simple leaves its rolling version to the deployments that still run it.
func (e *Engine) writeComplex(ctx context.Context, p engine.Product, write func(store.Queries, context.Context, engine.Product) (engine.Product, error)) (engine.Product, error) {
	err := e.store.Tx(ctx, func(tx *store.Tx) error {
		was, err := orNil(tx.Product(ctx, p.ID))
		if err != nil {
			return err
		}
		if p, err = write(tx.Queries, ctx, p); err != nil || was == nil || was.Type != engine.ProductSimple {
			return err
		}
		_, err = tx.DeleteVersion(ctx, rollingVersion(p).ID)
		return err
	})
	return p, err
}
